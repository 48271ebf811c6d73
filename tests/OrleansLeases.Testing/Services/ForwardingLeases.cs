namespace OrleansLeases.Testing;

/// <summary>Passes every call on to another service. A test overrides the calls it has to do with.</summary>
/// <param name="inner">The other service.</param>
public class ForwardingLeases(ILeaseService inner) : ILeaseService
{
    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default) =>
        inner.AcquireAsync(request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default) =>
        inner.RenewAsync(request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(
        RenewBatchRequest request, CancellationToken cancellationToken = default) =>
        inner.RenewBatchAsync(request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<BatchReply>> BatchAsync(BatchRequest request, CancellationToken cancellationToken = default) =>
        inner.BatchAsync(request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(
        ReleaseRequest request, CancellationToken cancellationToken = default) =>
        inner.ReleaseAsync(request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<LeaseGrant>> TransferAsync(
        TransferRequest request, CancellationToken cancellationToken = default) =>
        inner.TransferAsync(request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default) =>
        inner.BreakAsync(request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default) =>
        inner.GetAsync(request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default) =>
        inner.ListAsync(request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default) =>
        inner.HistoryAsync(resource, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<KeyPut>> PutKeyAsync(
        string key, PutKeyRequest request, CancellationToken cancellationToken = default) =>
        inner.PutKeyAsync(key, request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default) =>
        inner.GetKeyAsync(key, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(
        string key, long? ifVersion = null, CancellationToken cancellationToken = default) =>
        inner.DeleteKeyAsync(key, ifVersion, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken = default) =>
        inner.AddToCounterAsync(key, request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default) =>
        inner.ListKeysAsync(request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default) =>
        inner.WatchAsync(request, cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
        inner.InfoAsync(cancellationToken);

    /// <inheritdoc/>
    public virtual ValueTask<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken = default) =>
        inner.ListMembersAsync(cancellationToken);
}
