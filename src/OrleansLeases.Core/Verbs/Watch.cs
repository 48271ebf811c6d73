namespace OrleansLeases.Core;

internal static partial class Verbs
{
    public static readonly Verb<WatchRequest, LeaseWatch> Watch = new(
        "watch",
        static (request, _) => RequestChecks.Check(request),
        static (access, request) => access.ToWatch(request),
        static (front, request, _) => new(front.StartWatchAsync(request)))
    {
        Demand = static request => Demand.Of(request),
        Subject = static (request, _) => new(request.Resource ?? request.Key),
        Abandon = EndAsync,
    };

    private static async Task EndAsync(IServiceHost host, Task<LeaseResult<LeaseWatch>> answer)
    {
        if ((await answer.ConfigureAwait(false)).TryGetValue(out var watch, out _)) watch.Dispose();
    }
}

internal sealed partial class ServiceFront
{
    public ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Watch, request, _timeout, cancellationToken);

    internal async Task<LeaseResult<LeaseWatch>> StartWatchAsync(WatchRequest request)
    {
        var answer = await host.WatchAsync(request).ConfigureAwait(false);
        return Caller is { } caller && answer.TryGetValue(out var watch, out _) ? CallerWatch.Of(watch, caller, request) : answer;
    }
}

internal partial interface IServiceHost
{
    Task<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request);
}

internal sealed partial class RequestChecks
{
    /// <summary>Checks a watch.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(WatchRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        string?[] names = [request.Resource, request.Key, request.Prefix];
        if (names.Count(name => name is not null) is var given and not 1)
            errors.Add("resource", $"A watch takes one of resource, key and prefix, was given {(given == 0 ? "none" : "several")}.");
        if (request.Resource is not null) Path(ref errors, "resource", request.Resource);
        if (request.Key is not null) Path(ref errors, "key", request.Key);
        if (request.Prefix is { Length: > 0 }) Name(ref errors, "prefix", request.Prefix);
        if (request.Since is { Sequence: < 0 } since) errors.Add("since", $"since is {since}; it takes 0 or the number of a change.");
        if (request is { Since: not null, Prefix: not null })
            errors.Add("since", "since is given for a prefix, which is live only; leave it out.");
        return errors.Refusal;
    }
}

internal abstract partial record LeaseCommand
{
    /// <summary>Someone starts to watch the resource. The watch ends where the keeper does that answers.</summary>
    /// <param name="Since">The last change known; null to start with the state.</param>
    public sealed record Watch(WatchPoint? Since) : LeaseCommand<LeaseWatch>
    {
        internal override bool IsRead => true;

        internal override bool RequiresFreshRead(bool isSingleWriter) => !isSingleWriter;

        internal override LeaseReply<LeaseWatch> Apply(LeaseDraft draft) => new LeaseReply.Watch(Since);
    }
}

internal abstract partial record LeaseReply
{
    internal sealed record Watch(WatchPoint? Since) : LeaseReply<LeaseWatch>
    {
        internal override bool IsOvertaken(LeaseState state, bool durable, Instant now) => state.IsAnyOver(now);

        internal override LeaseResult<LeaseWatch> ToResult(in ResponseContext at) => at.Keeper.WatchFrom(Since, at.State, at.Now);
    }
}
