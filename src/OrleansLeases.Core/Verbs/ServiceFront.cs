namespace OrleansLeases.Core;

/// <summary>
/// The service before any keeper: every call of every host goes through <see cref="RunAsync"/>, where it is admitted, called, bounded
/// in time and cancelled. Thread-safe.
/// </summary>
/// <param name="host">Calls the keepers.</param>
/// <param name="limits">The bounds of requests; null for a client of a cluster, which asks the host for them.</param>
/// <param name="time">What the answers of a batch are counted by.</param>
/// <param name="quotas">What callers use of their quotas; null for a service of its own.</param>
internal sealed partial class ServiceFront(IServiceHost host, LeaseLimits? limits, TimeProvider time, CallerQuotas? quotas = null)
    : ILeaseService, IUndeliveredGrants, ICallerScopes
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(45);

    private readonly TimeSpan _timeout = host.CallTimeout;
    private readonly CallerQuotas _quotas = quotas ?? new(host, time);
    private RequestChecks? _checks = limits is null ? null : new RequestChecks(limits);

    public IServiceHost Host => host;

    /// <summary>For whom the calls are made; null for those inside the boundary, who may do everything.</summary>
    public LeaseCaller? Caller { get; private init; }

    /// <summary>What bounds the calls: a host takes real time, whatever clock the leases are under.</summary>
    public TimeProvider RealTime { get; init; } = TimeProvider.System;

    /// <summary>Counts the calls; null where nobody can ask.</summary>
    public OperationMetrics? Metrics { get; init; }

    public ILeaseService For(LeaseCaller caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return new ServiceFront(host, limits, time, _quotas)
        {
            RealTime = RealTime, Metrics = Metrics, Caller = caller, _checks = _checks,
        };
    }

    public ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Info, default, _timeout, cancellationToken);

    public ValueTask<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Members, default, _timeout, cancellationToken);

    public async ValueTask<LeaseResult<LeaseRelease>> GiveBackAsync(LeaseGrant grant)
    {
        try
        {
            return await Within(host.GiveBackAsync(grant), _timeout, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (host.Explain(error, isChange: true, requestId: null) is { } refusal)
        {
            return refusal;
        }
    }

    private ValueTask<LeaseResult<TReply>> RunAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class => IsObserved
            ? RunObservedAsync(verb, request, timeout, cancellationToken)
            : RunUnobservedAsync(verb, request, timeout, cancellationToken);

    private ValueTask<LeaseResult<TReply>> RunUnobservedAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class => _checks is not null || !verb.WaitsForLimits
            ? RunCheckedAsync(verb, request, _checks ?? RequestChecks.OfAnyLimits, timeout, cancellationToken)
            : FindChecksAndRunAsync(verb, request, timeout, cancellationToken);

    private async ValueTask<LeaseResult<TReply>> FindChecksAndRunAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class => await RunCheckedAsync(
            verb, request, await FindChecksAsync(cancellationToken).ConfigureAwait(false), timeout, cancellationToken)
            .ConfigureAwait(false);

    private ValueTask<LeaseResult<TReply>> RunCheckedAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, RequestChecks checks, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class
    {
        if (verb.Admit(ref request, checks) is { } invalid) return new(invalid);
        return Caller is { } caller
            ? RunForAsync(caller, verb, request, timeout, cancellationToken)
            : RunAdmittedAsync(verb, request, timeout, cancellationToken);
    }

    private async ValueTask<LeaseResult<TReply>> RunAdmittedAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class
    {
        if (!verb.IsAlwaysTaken && host.Closed is { } closed) return closed;
        cancellationToken.ThrowIfCancellationRequested();
        Task<LeaseResult<TReply>>? answer = null;
        try
        {
            var call = verb.Call(this, request, cancellationToken);
            if (call.IsCompletedSuccessfully) return call.Result;
            answer = call.AsTask();
            if (verb.Wait is { } wait && timeout != Timeout.InfiniteTimeSpan)
                timeout += wait(request) is var requested && requested < LongestWait ? requested : LongestWait;
            return await Within(answer, timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            if (answer is { IsCompletedSuccessfully: true }) return await answer.ConfigureAwait(false);
            // It outlives the call, and is nobody's.
            if (answer is not null && verb.Abandon is not null)
                _ = Background.SuppressFlow(static call => AbandonAsync(call.verb, call.host, call.answer), (verb, host, answer));
            throw;
        }
        catch (Exception error) when (host.Explain(error, verb.IsChange, verb.RequestId?.Get(request)) is { } refusal)
        {
            return refusal;
        }
    }

    // Where no host answers, the call that follows says so.
    private async ValueTask<RequestChecks> FindChecksAsync(CancellationToken cancellationToken)
    {
        var info = await InfoAsync(cancellationToken).ConfigureAwait(false);
        return info.TryGetValue(out var service, out _) ? _checks = new RequestChecks(service.Limits) : RequestChecks.OfAnyLimits;
    }

    // A change goes on without its caller; only the answer is given up.
    private Task<T> Within<T>(Task<T> answer, TimeSpan timeout, CancellationToken cancellationToken) =>
        answer.IsCompleted ? answer : answer.WaitAsync(timeout, RealTime, cancellationToken);

    private static async Task AbandonAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, IServiceHost host, Task<LeaseResult<TReply>> answer)
        where TReply : class
    {
        try
        {
            await verb.Abandon!(host, answer).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It has left the queue; or else what it was granted runs out.
        }
    }
}
