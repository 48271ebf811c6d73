using Orleans;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// Leases and keys by calls to the grains of a cluster, from a silo or from a client of it. Thread-safe. Nothing that a grain call
/// throws gets through: what may have happened is told as <c>outcome-unknown</c>, what only asked as <c>unavailable</c>.
/// </summary>
/// <param name="grains">The silo's, or the client's.</param>
/// <param name="failures">Takes down what the calls throw.</param>
/// <param name="limits">The bounds of requests; null for a client, which asks the silos for them.</param>
/// <param name="last">Answers once no grain can; null for a client, which learns of that by its calls.</param>
internal sealed class OrleansLeaseService(
    IGrainFactory grains, FailureLog failures, LeaseLimits? limits = null, LastSilo? last = null) : ILeaseService, IUndeliveredGrants, IDisposable
{
    // Calls take real time, whatever clock the leases are under.
    private static readonly TimeProvider RealTime = TimeProvider.System;

    // Changes are asked for without the caller's token: they go on without their caller, and only the answer is given up.
    // A silo that died is noticed later than this; a caller is better off knowing that it does not know.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan BatchPatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    // What is wrong under any bounds. It must not reach a grain: on Orleans' wire half a surrogate pair becomes another
    // character, and the grain would take the name for a good one.
    private static readonly RequestChecks AnyBounds = new(new LeaseLimits
    {
        MinTtl = TimeSpan.Zero, MaxTtl = TimeSpan.MaxValue, MaxWait = TimeSpan.MaxValue, MaxHolders = int.MaxValue, MaxWaiters = int.MaxValue, MaxBatch = 100_000,
    });

    private readonly Watches _watches = new(RealTime);
    private GrainKind? _leases;
    private GrainKind? _calls;
    private GrainKind? _keys;
    private RequestChecks? _checks = limits is null ? null : new RequestChecks(limits);

    public async ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if ((await ChecksAsync(cancellationToken).ConfigureAwait(false)).Check(request) is { } refusal) return refusal;
        cancellationToken.ThrowIfCancellationRequested();
        if (request.RequestId is null) request = request with { RequestId = Guid.NewGuid().ToString("N") };
        var call = Guid.NewGuid();
        Task<LeaseResult<LeaseGrant>>? sent = null;
        var answer = ChangeAsync(CallsOf, request.Resource, grain => sent = grain.AcquireAsync(request, call, CancellationToken.None), request.RequestId, CancellationToken.None, request.Wait);
        return await UndeliveredGrants.AnswerAsync(answer, () => CancelWaitAsync(request, call, sent!), GiveBackAsync, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if ((_checks ?? AnyBounds).Check(request) is { } refusal) return refusal;
        return await ChangeAsync(GrainOf, request.Resource, grain => grain.RenewAsync(request, CancellationToken.None), null, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(RenewBatchRequest request, CancellationToken cancellationToken = default)
    {
        if ((await ChecksAsync(cancellationToken).ConfigureAwait(false)).Check(request) is { } refusal) return refusal;
        var start = RealTime.GetTimestamp();
        var pending = new Task<LeaseResult<LeaseRenewal>>[request.Leases.Count];
        for (var i = 0; i < pending.Length; i++) pending[i] = InBatchAsync(RenewAsync(request.Leases[i], cancellationToken).AsTask());
        var results = await Task.WhenAll(pending).ConfigureAwait(false);

        // What a grain says of itself counts from its own receipt, which is later than this one: the least is never too much.
        var elapsed = RealTime.GetElapsedTime(start);
        foreach (var result in results)
            if (result.TryGetValue(out var renewal, out _) && renewal.Elapsed < elapsed) elapsed = renewal.Elapsed;
        return new RenewBatchReply { Elapsed = elapsed, Results = results };
    }

    // The renewals of the others grow old while one is waited for.
    private static async Task<LeaseResult<LeaseRenewal>> InBatchAsync(Task<LeaseResult<LeaseRenewal>> renewal)
    {
        try
        {
            return await renewal.WaitAsync(BatchPatience, RealTime).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            return new Refusal.OutcomeUnknown(null, "The grain did not say in time whether the lease was renewed; renew it again.");
        }
    }

    public async ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (RequestChecks.Check(request) is { } refusal) return refusal;
        return await ReleaseAsync(
            GrainOf, request.Resource, LeaseCommand.Of(request), grain => grain.ReleaseAsync(request, CancellationToken.None), cancellationToken)
            .ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<LeaseRelease>> GiveBackAsync(LeaseGrant grant) =>
        await ReleaseAsync(
            CallsOf, grant.Resource, LeaseCommand.GiveBack(grant), grain => grain.GiveBackAsync(grant.Owner, grant.Token), CancellationToken.None)
            .ConfigureAwait(false);

    public async ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if ((await ChecksAsync(cancellationToken).ConfigureAwait(false)).Check(request) is { } refusal) return refusal;
        if (request.RequestId is null) request = request with { RequestId = Guid.NewGuid().ToString("N") };
        return await ChangeAsync(GrainOf, request.Resource, grain => grain.TransferAsync(request, CancellationToken.None), request.RequestId, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if ((await ChecksAsync(cancellationToken).ConfigureAwait(false)).Check(request) is { } refusal) return refusal;
        if (request.RequestId is null) request = request with { RequestId = Guid.NewGuid().ToString("N") };
        return await ChangeAsync(GrainOf, request.Resource, grain => grain.BreakAsync(request, CancellationToken.None), request.RequestId, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (RequestChecks.CheckResource(request.Resource) is { } refusal) return refusal;
        return await ReadAsync(() => GrainOf(request.Resource).GetAsync(request, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.Check(request) is { } refusal) return refusal;
        return await ReadAsync(() => grains.GetGrain<ILeaseServiceGrain>(0).ListAsync(request, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.CheckResource(resource) is { } refusal) return refusal;
        return await ReadAsync(() => GrainOf(resource).HistoryAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.Check(key, request) is { } refusal) return refusal;
        if (request.RequestId is null) request = request with { RequestId = Guid.NewGuid().ToString("N") };
        return await ChangeAsync(KeyOf, key, grain => grain.PutAsync(request, CancellationToken.None), request.RequestId, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.CheckKey(key) is { } refusal) return refusal;
        return await ReadAsync(() => KeyOf(key).GetAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(string key, long? ifVersion = null, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.CheckKey(key, ifVersion) is { } refusal) return refusal;
        return await ChangeAsync(KeyOf, key, grain => grain.DeleteAsync(ifVersion, CancellationToken.None), null, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(string key, AddToCounterRequest request, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.Check(key, request) is { } refusal) return refusal;
        if (request.RequestId is null) request = request with { RequestId = Guid.NewGuid().ToString("N") };
        return await ChangeAsync(KeyOf, key, grain => grain.AddAsync(request, CancellationToken.None), request.RequestId, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default)
    {
        if (RequestChecks.Check(request) is { } refusal) return refusal;
        return await ReadAsync(() => grains.GetGrain<ILeaseServiceGrain>(0).ListKeysAsync(request, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    // A start that is given up is taken back by Orleans, which ends what nobody takes anything from.
    public async ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default)
    {
        if ((RequestChecks.Check(request) ?? last?.Refusal) is { } refusal) return refusal;
        var watch = request switch
        {
            { Prefix: { } prefix } => _watches.StartLiveAsync(() => GrainWatch.StartAsync(() => grains.GetGrain<IPrefixWatchGrain>(Guid.NewGuid()).WatchAsync(prefix))),
            { Key: { } key } => _watches.StartAsync(request.Since, since => GrainWatch.StartAsync(() => KeyOf(key).WatchAsync(since))),
            _ => _watches.StartAsync(request.Since, since => GrainWatch.StartAsync(() => GrainOf(request.Resource!).WatchAsync(since))),
        };
        return await watch.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
        await ReadAsync(() => grains.GetGrain<ILeaseServiceGrain>(0).InfoAsync(cancellationToken), cancellationToken).ConfigureAwait(false);

    /// <summary>Ends the watches.</summary>
    public void Dispose() => _watches.Dispose();

    private ILeaseGrain GrainOf(string resource)
    {
        _leases ??= GrainKind.Of(grains.GetLease(resource));
        return (ILeaseGrain)_leases.Reference(grains, LeaseGrainKey.Of(resource));
    }

    private ILeaseUpkeep CallsOf(string resource)
    {
        _calls ??= GrainKind.Of(grains.GetGrain<ILeaseUpkeep>(LeaseGrainKey.Of(resource)));
        return (ILeaseUpkeep)_calls.Reference(grains, LeaseGrainKey.Of(resource));
    }

    private IKeyGrain KeyOf(string key)
    {
        _keys ??= GrainKind.Of(grains.GetKey(key));
        return (IKeyGrain)_keys.Reference(grains, KeyGrainKey.Of(key));
    }

    // Where no silo answers, the call that follows says so. A renewal does not wait for it.
    private async ValueTask<RequestChecks> ChecksAsync(CancellationToken cancellationToken)
    {
        if (_checks is { } known) return known;
        var info = await InfoAsync(cancellationToken).ConfigureAwait(false);
        return info.TryGetValue(out var service, out _) ? _checks = new RequestChecks(service.Limits) : AnyBounds;
    }

    private Task<LeaseResult<LeaseRelease>> ReleaseAsync<TGrain>(
        Func<string, TGrain> find, string resource, LeaseCommand<LeaseRelease> command, Func<TGrain, Task<LeaseResult<LeaseRelease>>> call,
        CancellationToken cancellationToken) => last?.Refusal is null
        ? SendAsync(find, resource, call, null, cancellationToken)
        : SendAsync(_ => last, resource, silo => silo.ReleaseAsync(resource, command), null, cancellationToken);

    private async Task<LeaseResult<T>> ChangeAsync<TGrain, T>(
        Func<string, TGrain> find, string name, Func<TGrain, Task<LeaseResult<T>>> call, string? requestId,
        CancellationToken cancellationToken, TimeSpan wait = default)
        where T : class =>
        last?.Refusal is { } refusal ? refusal : await SendAsync(find, name, call, requestId, cancellationToken, wait).ConfigureAwait(false);

    // What stops it before the grain is called has changed nothing: a client that has not started does not even know the grains.
    private async Task<LeaseResult<T>> SendAsync<TGrain, T>(
        Func<string, TGrain> find, string name, Func<TGrain, Task<LeaseResult<T>>> call, string? requestId,
        CancellationToken cancellationToken, TimeSpan wait = default)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        TGrain grain;
        try
        {
            grain = find(name);
        }
        catch (Exception error)
        {
            return NotReached(error);
        }

        try
        {
            return await call(grain).WaitAsync((wait < LongestWait ? wait : LongestWait) + Patience, RealTime, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!(error is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            var note = failures.Note("A grain did not say whether a change happened", error);
            return new Refusal.OutcomeUnknown(requestId, requestId is null
                ? $"The grain did not say whether the change happened; repeat the call. {note}"
                : $"The grain did not say whether the change happened; repeat the call with the same requestId. {note}");
        }
    }

    private async Task<LeaseResult<T>> ReadAsync<T>(Func<Task<LeaseResult<T>>> call, CancellationToken cancellationToken)
        where T : class
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (last?.Refusal is { } refusal) return refusal;
        Task<LeaseResult<T>> answer;
        try
        {
            answer = call();
        }
        catch (Exception error)
        {
            return NotReached(error);
        }

        try
        {
            return await answer.WaitAsync(Patience, RealTime, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!(error is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            return new Refusal.Unavailable(RetryAfter, $"The grain did not answer; ask again. {failures.Note("A grain did not answer", error)}");
        }
    }

    private Refusal.Unavailable NotReached(Exception error)
    {
        var note = failures.Note("The cluster's leases cannot be reached", error);
        return new(RetryAfter, $"The cluster's leases cannot be reached: this client or silo has not joined it yet, or no silo in it has leases. Ask again. {note}");
    }

    private async Task<LeaseResult<LeaseGrant>> CancelWaitAsync(AcquireRequest request, Guid call, Task<LeaseResult<LeaseGrant>> sent)
    {
        try
        {
            if (request.Wait > TimeSpan.Zero) await CallsOf(request.Resource).CancelWaitAsync(call).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The waiting call's own answer says what became of it.
        }

        return await sent.ConfigureAwait(false);
    }

    // Orleans finds the type and the interface of a grain by reflection, which costs as much as the renewal; they are always the same.
    private sealed record GrainKind(GrainType Type, GrainInterfaceType Interface)
    {
        public static GrainKind Of(IAddressable grain)
        {
            var reference = (GrainReference)grain;
            return new(reference.GrainId.Type, reference.InterfaceType);
        }

        public IAddressable Reference(IGrainFactory grains, string key) => grains.GetGrain(GrainId.Create(Type, key), Interface);
    }
}
