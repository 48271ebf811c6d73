namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>A service that answers nothing: every call fails, or lasts until it is given up.</summary>
internal sealed class StuckLeases : ILeaseService
{
    /// <summary>What every call fails with, or null where it lasts.</summary>
    public Exception? Failure { get; init; }

    public ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default) =>
        Never<LeaseGrant>(cancellationToken);

    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default) =>
        Never<LeaseRenewal>(cancellationToken);

    public ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(
        RenewBatchRequest request, CancellationToken cancellationToken = default) =>
        Never<RenewBatchReply>(cancellationToken);

    public ValueTask<LeaseResult<BatchReply>> BatchAsync(BatchRequest request, CancellationToken cancellationToken = default) =>
        Never<BatchReply>(cancellationToken);

    public ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default) =>
        Never<LeaseRelease>(cancellationToken);

    public ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default) =>
        Never<LeaseGrant>(cancellationToken);

    public ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default) =>
        Never<LeaseBreak>(cancellationToken);

    public ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default) =>
        Never<LeaseInfo>(cancellationToken);

    public ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default) =>
        Never<LeasePage>(cancellationToken);

    public ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default) =>
        Never<LeaseHistory>(cancellationToken);

    public ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default) =>
        Never<KeyPut>(cancellationToken);

    public ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default) =>
        Never<KeyValue>(cancellationToken);

    public ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(
        string key, long? ifVersion = null, CancellationToken cancellationToken = default) =>
        Never<KeyDeletion>(cancellationToken);

    public ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken = default) =>
        Never<CounterValue>(cancellationToken);

    public ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default) =>
        Never<KeyPage>(cancellationToken);

    public ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default) =>
        Never<LeaseWatch>(cancellationToken);

    public ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
        Never<ServiceInfo>(cancellationToken);

    private async ValueTask<LeaseResult<T>> Never<T>(CancellationToken cancellationToken)
        where T : class
    {
        if (Failure is { } failure) throw failure;
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        throw new InvalidOperationException("It lasts for ever.");
    }
}
