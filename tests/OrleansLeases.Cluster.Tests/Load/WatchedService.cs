using System.Collections.Concurrent;

namespace OrleansLeases.Cluster.Tests.Load;

/// <summary>A service whose refused calls are written down.</summary>
internal sealed class WatchedService(ILeaseService service) : ILeaseService
{
    private readonly ConcurrentQueue<(long At, Refusal Refusal)> _refusals = new();

    /// <summary>What was refused since a timestamp of the system's clock.</summary>
    public IEnumerable<Refusal> RefusalsSince(long timestamp) =>
        _refusals.Where(refused => refused.At >= timestamp).Select(refused => refused.Refusal);

    public ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.AcquireAsync(request, cancellationToken));

    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.RenewAsync(request, cancellationToken));

    public ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(RenewBatchRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.RenewBatchAsync(request, cancellationToken));

    public ValueTask<LeaseResult<BatchReply>> BatchAsync(BatchRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.BatchAsync(request, cancellationToken));

    public ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.ReleaseAsync(request, cancellationToken));

    public ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.TransferAsync(request, cancellationToken));

    public ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.BreakAsync(request, cancellationToken));

    public ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.GetAsync(request, cancellationToken));

    public ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.ListAsync(request, cancellationToken));

    public ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken) =>
        WatchAsync(service.HistoryAsync(resource, cancellationToken));

    public ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.PutKeyAsync(key, request, cancellationToken));

    public ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken) =>
        WatchAsync(service.GetKeyAsync(key, cancellationToken));

    public ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(string key, long? ifVersion, CancellationToken cancellationToken) =>
        WatchAsync(service.DeleteKeyAsync(key, ifVersion, cancellationToken));

    public ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.AddToCounterAsync(key, request, cancellationToken));

    public ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.ListKeysAsync(request, cancellationToken));

    public ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken) =>
        WatchAsync(service.WatchAsync(request, cancellationToken));

    public ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken) =>
        WatchAsync(service.InfoAsync(cancellationToken));

    public ValueTask<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken) =>
        WatchAsync(service.ListMembersAsync(cancellationToken));

    private async ValueTask<LeaseResult<T>> WatchAsync<T>(ValueTask<LeaseResult<T>> call)
        where T : class
    {
        var answer = await call;
        if (answer.Refusal is { } refusal) _refusals.Enqueue((TimeProvider.System.GetTimestamp(), refusal));
        return answer;
    }
}
