namespace OrleansLeases.Core;

/// <summary>
/// The service before any keeper: every call of every host goes through <see cref="RunAsync"/>, where it is admitted, called, bounded
/// in time and cancelled. Thread-safe.
/// </summary>
/// <param name="host">Calls the keepers.</param>
/// <param name="limits">The bounds of requests; null for a client of a cluster, which asks the host for them.</param>
/// <param name="time">What the renewals of a batch are counted by.</param>
internal sealed class ServiceFront(IServiceHost host, LeaseLimits? limits, TimeProvider time) : ILeaseService, IUndeliveredGrants
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(45);

    private RequestChecks? _checks = limits is null ? null : new RequestChecks(limits);

    public IServiceHost Host => host;

    public ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Acquire, request, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Renew, request, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(RenewBatchRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.RenewBatch, request, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Release, request, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Transfer, request, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Break, request, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Get, request, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.List, request, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.History, resource, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.PutKey, (key, request), host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.GetKey, key, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(
        string key, long? ifVersion = null, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.DeleteKey, (key, ifVersion), host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.AddToCounter, (key, request), host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.ListKeys, request, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Watch, request, host.CallTimeout, cancellationToken);

    public ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Info, default, host.CallTimeout, cancellationToken);

    public async ValueTask<LeaseResult<LeaseRelease>> GiveBackAsync(LeaseGrant grant)
    {
        try
        {
            return await Within(host.GiveBackAsync(grant), host.CallTimeout, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception error) when (host.Explain(error, isChange: true, requestId: null) is { } refusal)
        {
            return refusal;
        }
    }

    /// <summary>Renews every lease of a batch on its own.</summary>
    internal async Task<LeaseResult<RenewBatchReply>> RenewEachAsync(RenewBatchRequest request)
    {
        var start = time.GetTimestamp();
        var pending = new ValueTask<LeaseResult<LeaseRenewal>>[request.Leases.Count];
        for (var i = 0; i < pending.Length; i++)
            pending[i] = RunAsync(Verbs.Renew, request.Leases[i], host.BatchTimeout, CancellationToken.None);

        var results = new LeaseResult<LeaseRenewal>[pending.Length];
        for (var i = 0; i < pending.Length; i++) results[i] = await pending[i].ConfigureAwait(false);

        // What a keeper says of itself counts from its own receipt, which is later than this one: the least is never too much.
        var elapsed = time.GetElapsedTime(start);
        foreach (var result in results)
            if (result.TryGetValue(out var renewal, out _) && renewal.Elapsed < elapsed) elapsed = renewal.Elapsed;
        return new RenewBatchReply { Elapsed = elapsed, Results = results };
    }

    private async ValueTask<LeaseResult<TReply>> RunAsync<TRequest, TReply>(
        Verb<TRequest, TReply> verb, TRequest request, TimeSpan timeout, CancellationToken cancellationToken)
        where TReply : class
    {
        var checks = _checks
            ?? (verb.WaitsForLimits ? await FindChecksAsync(cancellationToken).ConfigureAwait(false) : RequestChecks.OfAnyLimits);
        if (verb.Admit(ref request, checks) is { } invalid) return invalid;
        if (!verb.IsAlwaysTaken && host.Closed is { } closed) return closed;
        cancellationToken.ThrowIfCancellationRequested();
        Task<LeaseResult<TReply>>? answer = null;
        try
        {
            answer = verb.Call(this, request, cancellationToken);
            if (verb.Wait is { } wait && timeout != Timeout.InfiniteTimeSpan)
                timeout += wait(request) is var asked && asked < LongestWait ? asked : LongestWait;
            return await Within(answer, timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            if (answer is { IsCompletedSuccessfully: true }) return await answer.ConfigureAwait(false);
            // It outlives the call, and is nobody's.
            if (answer is not null && verb.Abandon is not null)
                _ = Background.Make(static call => AbandonAsync(call.verb, call.host, call.answer), (verb, host, answer));
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

    // A change goes on without its caller; only the answer is given up. A host takes real time, whatever clock the leases are under.
    private static Task<T> Within<T>(Task<T> answer, TimeSpan timeout, CancellationToken cancellationToken) =>
        answer.IsCompleted ? answer : answer.WaitAsync(timeout, TimeProvider.System, cancellationToken);

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
