using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Embedded;

/// <summary>Calls the keepers of this process, and reads its store. Thread-safe.</summary>
internal sealed class EmbeddedHost(
    IRecordStore store,
    KeeperRegistry keepers,
    Watches watches,
    PrefixWatchers prefixes,
    LeaseClock clock,
    LeaseRules rules,
    ServiceInfo info,
    KeeperMetrics metrics,
    TimeProvider time) : IServiceHost
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly KeyOperations _keys = new(keepers, keepers, time);
    private readonly ListingGate _listings = new();

    // A save takes the time that it takes.
    public TimeSpan CallTimeout => Timeout.InfiniteTimeSpan;

    public TimeSpan BatchTimeout => Timeout.InfiniteTimeSpan;

    public Refusal? Closed => keepers.Ended;

    // Only a batch has no time for a save that takes long.
    public Refusal? Explain(Exception error, bool isChange, string? requestId) => error is not TimeoutException ? null
        : !isChange ? new Refusal.Unavailable(RetryAfter, "The store did not answer in time for the batch. Ask again.")
        : new Refusal.OutcomeUnknown(
            requestId,
            "The store did not say in time for the batch whether the change happened. Repeat the operation"
                + (requestId is null ? "." : " with the same requestId."));

    // The keeper heeds the token where the call stands in the queue.
    public Task<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken leaves) =>
        keepers.SubmitAsync(request.Resource, LeaseCommand.Of(request), leaves);

    public Task<LeaseResult<LeaseRelease>> GiveBackAsync(LeaseGrant grant) =>
        keepers.SubmitAsync(grant.Resource, LeaseCommand.GiveBack(grant));

    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request)
    {
        var renewal = LeaseCommand.Of(request);
        return keepers.TryAnswer(request.Resource, renewal, out var answer)
            ? new(answer)
            : new(keepers.SubmitAsync(request.Resource, renewal));
    }

    public Task<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request) =>
        keepers.SubmitAsync(request.Resource, LeaseCommand.Of(request));

    public Task<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request) =>
        keepers.SubmitAsync(request.Resource, LeaseCommand.Of(request));

    public Task<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request) =>
        keepers.SubmitAsync(request.Resource, LeaseCommand.Of(request));

    public Task<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken) =>
        keepers.SubmitAsync(request.Resource, new LeaseCommand.Get(request.Consistent), CancellationToken.None);

    public Task<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken) =>
        keepers.SubmitAsync(resource, LeaseCommand.GetHistory.Instance, CancellationToken.None);

    public Task<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request) =>
        Background.StartOnDefaultScheduler(() => _keys.PutAsync(key, request));

    public Task<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken) =>
        Background.StartOnDefaultScheduler(() => _keys.GetAsync(key));

    public Task<LeaseResult<KeyDeletion>> DeleteKeyAsync(string key, long? ifVersion) =>
        Background.StartOnDefaultScheduler(() => _keys.DeleteAsync(key, ifVersion));

    public Task<LeaseResult<CounterValue>> AddToCounterAsync(string key, AddToCounterRequest request) =>
        Background.StartOnDefaultScheduler(() => _keys.AddAsync(key, request));

    public Task<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken) => RunAsync<LeasePage>(
        async () => await OnItsThread(() => ReadLeasesAsync(request, cancellationToken)).ConfigureAwait(false), cancellationToken);

    public Task<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken) => RunAsync(
        async () =>
        {
            var page = await OnItsThread(() => ReadKeysAsync(request, cancellationToken)).ConfigureAwait(false);
            return await page.ToPageAsync(keepers, time).ConfigureAwait(false);
        },
        cancellationToken);

    public Task<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request) => request.Prefix is { } prefix
        ? Task.FromResult<LeaseResult<LeaseWatch>>(watches.StartPrefix(prefixes, prefix))
        : Background.StartOnDefaultScheduler(() => watches.StartAsync(
            request.Since, since => request.Key is { } key
                ? _keys.WatchAsync(key, since)
                : keepers.SubmitAsync(request.Resource!, new LeaseCommand.Watch(since))));

    public Task<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken) => Task.FromResult<LeaseResult<ServiceInfo>>(
        store.Trouble is { } trouble ? new Refusal.Unavailable(RetryAfter, trouble.Reason) : info);

    public Task<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken)
    {
        var size = (store as IMeasuredStore)?.Measure();
        return Task.FromResult<LeaseResult<MemberList>>(new MemberList
        {
            Members =
            [
                new()
                {
                    Name = Environment.MachineName,
                    State = store.Trouble is null ? MemberState.Ready : MemberState.NotReady,
                    Detail = store.Trouble?.Reason,
                    Version = info.Version,
                    Held = metrics.HeldNow,
                    Waiters = metrics.WaitingNow,
                    Records = size?.Records,
                    DiskBytes = size?.DiskBytes,
                },
            ],
        });
    }

    private async Task<LeaseResult<T>> RunAsync<T>(Func<Task<LeaseResult<T>>> list, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await Background.StartOnDefaultScheduler(() => _listings.RunAsync(list, cancellationToken)).ConfigureAwait(false);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // A store may throw anything, and only these are in words for callers.
            var why = error is InvalidDataException or StoreUnreadableException ? error.Message : "the store failed. Ask again.";
            return new Refusal.Unavailable(RetryAfter, $"What is stored cannot be listed: {why}");
        }
    }

    // It reads the disk, and may pass over many records: the callers of others find the threads of the pool free.
    private static Task<T> OnItsThread<T>(Func<Task<T>> read) => Task.Factory.StartNew(
        read, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default)
            .Unwrap();

    private async Task<LeasePage> ReadLeasesAsync(ListLeasesRequest request, CancellationToken cancellationToken)
    {
        var page = new ListingPage(request, clock.Read(), rules);
        var records = store.RangeAsync(RecordKind.Lease, page.From, heldOnly: request.State == LeaseFilter.Held, cancellationToken);
        await foreach (var record in records.ConfigureAwait(false))
        {
            if (!page.Add(record.Name, record.Lease)) break;
        }

        return page.ToPage();
    }

    private async Task<KeyListingPage> ReadKeysAsync(ListKeysRequest request, CancellationToken cancellationToken)
    {
        var page = new KeyListingPage(request, clock.Read(), rules);
        await foreach (var record in store.RangeAsync(RecordKind.Key, page.From, heldOnly: true, cancellationToken).ConfigureAwait(false))
        {
            if (!page.Add(record.Name, record.Key)) break;
        }

        return page;
    }
}
