using System.Diagnostics;
using Orleans;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>
/// Calls the grains of leases and keys, from a silo or from an Orleans client. Thread-safe. The front turns every exception of a grain
/// call into a refusal: <c>outcome-unknown</c> for a change that may have happened, <c>unavailable</c> for a read.
/// </summary>
/// <param name="grains">The silo's, or the client's.</param>
/// <param name="failures">Logs the exceptions of the calls.</param>
/// <param name="last">Responds once no grain can be called; null for a client.</param>
/// <param name="metrics">Counts the watches; null where nobody can ask.</param>
internal sealed class GrainHost(IGrainFactory grains, FailureLog failures, LastSiloFallback? last, WatchMetrics? metrics = null)
    : IServiceHost, IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly Watches _watches = new(GrainKeepers.RealTime, metrics);
    private GrainKind? _leases;
    private GrainKind? _internalLeases;
    private GrainKind? _keys;

    // Shorter than Orleans takes to notice a dead silo: a caller is better off with outcome-unknown than without a response.
    public TimeSpan CallTimeout { get; } = TimeSpan.FromSeconds(15);

    public TimeSpan BatchTimeout { get; } = TimeSpan.FromSeconds(2);

    public Refusal? Closed => last?.Refusal;

    public Refusal? Explain(Exception error, bool isChange, string? requestId)
    {
        if (error is NotReachedException { InnerException: { } why })
        {
            return new Refusal.Unavailable(
                RetryAfter,
                "The cluster's leases cannot be reached: this client or silo has not joined it yet, or no silo in it has leases. "
                    + "Ask again. " + failures.Describe("The cluster's leases cannot be reached", why));
        }

        if (!isChange)
        {
            var failure = failures.Describe("A grain did not answer", error);
            return new Refusal.Unavailable(RetryAfter, $"The grain did not answer; ask again. {failure}");
        }

        var repeat = requestId is null ? "repeat the call" : "repeat the call with the same requestId";
        var note = failures.Describe("A grain did not say whether a change happened", error);
        return new Refusal.OutcomeUnknown(requestId, $"The grain did not say whether the change happened; {repeat}. {note}");
    }

    public void Carry(Activity span) => CarriedTrace.Set(span);

    public Task<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken leaves)
    {
        var grain = InternalLeaseOf(request.Resource);
        var call = Guid.NewGuid();
        var answer = grain.AcquireAsync(request, call, CancellationToken.None);
        return request.Wait > TimeSpan.Zero && leaves.CanBeCanceled ? WaitAsync(grain, call, answer, leaves) : answer;
    }

    public Task<LeaseResult<LeaseRelease>> GiveBackAsync(LeaseGrant grant) => last?.Refusal is null
        ? InternalLeaseOf(grant.Resource).GiveBackAsync(grant.Owner, grant.Token)
        : last.ReleaseAsync(grant.Resource, LeaseCommand.GiveBack(grant));

    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request) =>
        new(LeaseOf(request.Resource).RenewAsync(request, CancellationToken.None));

    public Task<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request) => last?.Refusal is null
        ? LeaseOf(request.Resource).ReleaseAsync(request, CancellationToken.None)
        : last.ReleaseAsync(request.Resource, LeaseCommand.Of(request));

    public Task<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request) =>
        LeaseOf(request.Resource).TransferAsync(request, CancellationToken.None);

    public Task<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request) =>
        LeaseOf(request.Resource).BreakAsync(request, CancellationToken.None);

    public Task<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken) =>
        LeaseOf(request.Resource).GetAsync(request, cancellationToken);

    public Task<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken) =>
        Service.ListAsync(request, cancellationToken);

    public Task<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken) =>
        LeaseOf(resource).HistoryAsync(cancellationToken);

    public Task<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request) => KeyOf(key).PutAsync(request, CancellationToken.None);

    public Task<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken) =>
        KeyOf(key).GetAsync(cancellationToken);

    public Task<LeaseResult<KeyDeletion>> DeleteKeyAsync(string key, long? ifVersion) =>
        KeyOf(key).DeleteAsync(ifVersion, CancellationToken.None);

    public Task<LeaseResult<CounterValue>> AddToCounterAsync(string key, AddToCounterRequest request) =>
        KeyOf(key).AddAsync(request, CancellationToken.None);

    public Task<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken) =>
        Service.ListKeysAsync(request, cancellationToken);

    public Task<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request) => request switch
    {
        { Prefix: { } prefix } => _watches.StartLiveAsync(
            () => GrainWatch.StartAsync(() => grains.GetGrain<IPrefixWatchGrain>(Guid.NewGuid()).WatchAsync(prefix))),
        { Key: { } key } => _watches.StartAsync(request.Since, since => GrainWatch.StartAsync(() => KeyOf(key).WatchAsync(since))),
        _ => _watches.StartAsync(request.Since, since => GrainWatch.StartAsync(() => LeaseOf(request.Resource!).WatchAsync(since))),
    };

    public Task<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken) => Service.InfoAsync(cancellationToken);

    public Task<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken) =>
        Service.ListMembersAsync(cancellationToken);

    /// <summary>Ends the watches.</summary>
    public void Dispose() => _watches.Dispose();

    private ILeaseServiceGrain Service => Reach(grains, static grains => grains.GetGrain<ILeaseServiceGrain>(0));

    private ILeaseGrain LeaseOf(string resource) => Find<ILeaseGrain>(ref _leases, LeaseGrainKey.Of(resource));

    private IInternalLeaseGrain InternalLeaseOf(string resource) =>
        Find<IInternalLeaseGrain>(ref _internalLeases, LeaseGrainKey.Of(resource));

    private IKeyGrain KeyOf(string key) => Find<IKeyGrain>(ref _keys, KeyGrainKey.Of(key));

    // Orleans finds the type and the interface of a grain by reflection, which costs as much as the renewal; they are always the same.
    private TGrain Find<TGrain>(ref GrainKind? kind, string key)
        where TGrain : IGrainWithStringKey
    {
        kind ??= Reach((grains, key), static at => GrainKind.Of(at.grains.GetGrain<TGrain>(at.key)));
        return (TGrain)Reach((grains, key, kind), static at => at.kind.Reference(at.grains, at.key));
    }

    // An exception before the call was sent means that nothing was changed: a client that has not started knows no grains.
    private static T Reach<TState, T>(TState state, Func<TState, T> find)
    {
        try
        {
            return find(state);
        }
        catch (Exception error)
        {
            throw new NotReachedException(error);
        }
    }

    private static async Task<LeaseResult<LeaseGrant>> WaitAsync(
        IInternalLeaseGrain grain, Guid call, Task<LeaseResult<LeaseGrant>> answer, CancellationToken leaves)
    {
        using var leaving = leaves.UnsafeRegister(_ => _ = Background.Run(() => LeaveAsync(grain, call)), null);
        return await answer.ConfigureAwait(false);
    }

    private static async Task LeaveAsync(IInternalLeaseGrain grain, Guid call)
    {
        try
        {
            await grain.CancelWaitAsync(call).ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The response of the waiting call says what became of it.
        }
    }

    private sealed record GrainKind(GrainType Type, GrainInterfaceType Interface)
    {
        public static GrainKind Of(IAddressable grain)
        {
            var reference = (GrainReference)grain;
            return new(reference.GrainId.Type, reference.InterfaceType);
        }

        public IAddressable Reference(IGrainFactory grains, string key) => grains.GetGrain(GrainId.Create(Type, key), Interface);
    }

    private sealed class NotReachedException(Exception why) : Exception(why.Message, why);
}
