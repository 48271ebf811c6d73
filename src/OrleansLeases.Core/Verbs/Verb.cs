namespace OrleansLeases.Core;

/// <summary>One verb of the service: how a request of it is admitted, and which call of a host answers it.</summary>
/// <typeparam name="TRequest">The request.</typeparam>
/// <typeparam name="TReply">The response, where the call is not refused.</typeparam>
/// <param name="Name">Its name in the contract.</param>
/// <param name="Check">Finds what is wrong with a request.</param>
/// <param name="Authorize">Finds what the caller has no right to; null for a verb that everybody may call.</param>
/// <param name="Call">Calls the host.</param>
internal sealed record Verb<TRequest, TReply>(
    string Name,
    Func<TRequest, RequestChecks, Refusal?> Check,
    Func<CallerAccess, TRequest, Refusal?>? Authorize,
    Func<ServiceFront, TRequest, CancellationToken, ValueTask<LeaseResult<TReply>>> Call)
    where TReply : class
{
    /// <summary>Whether a call without an answer may have changed something.</summary>
    public bool IsChange { get; init; }

    /// <summary>Whether a client of a cluster finds out the limits of the service before it asks.</summary>
    public bool WaitsForLimits { get; init; }

    /// <summary>What a call was about; its response where there was one.</summary>
    public Func<TRequest, TReply?, AuditSubject>? Subject { get; init; }

    /// <summary>What a call uses up of its caller's quotas; null where none holds it back.</summary>
    public Func<TRequest, Demand>? Demand { get; init; }

    /// <summary>Whether a call that succeeds is no news to the audit.</summary>
    public bool GoesOn { get; init; }

    /// <summary>What of a response its caller may see; null where it is all that the call was allowed for.</summary>
    public Func<CallerAccess, TReply, LeaseResult<TReply>>? Show { get; init; }

    /// <summary>Whether the host itself answers where it is closed.</summary>
    public bool IsAlwaysTaken { get; init; }

    /// <summary>How long a request asks to wait for its answer; null where none does.</summary>
    public Func<TRequest, TimeSpan>? Wait { get; init; }

    /// <summary>Where a request keeps its request id; null where the verb takes none.</summary>
    public RequestIdField<TRequest>? RequestId { get; init; }

    /// <summary>Undoes a call whose caller has gone before there was an answer, once there is one; null where nothing is to undo.</summary>
    public Func<IServiceHost, Task<LeaseResult<TReply>>, Task>? Abandon { get; init; }

    /// <summary>
    /// Checks a request, and gives it a request id where its caller gave none. Whatever reaches a keeper has passed here.
    /// </summary>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Admit(ref TRequest request, RequestChecks checks)
    {
        if (Check(request, checks) is { } refusal) return refusal;
        if (RequestId is { } field && field.Get(request) is null) request = field.With(request, RequestIds.New());
        return null;
    }
}

/// <summary>Where the requests of a verb keep their request ids.</summary>
internal sealed record RequestIdField<TRequest>(Func<TRequest, string?> Get, Func<TRequest, string, TRequest> With);
