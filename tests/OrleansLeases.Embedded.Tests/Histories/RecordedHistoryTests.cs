using OrleansLeases.Core;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing.Linearizability;

namespace OrleansLeases.Embedded.Tests.Histories;

/// <summary>
/// Recorded concurrent histories of the real engine on a real clock are linearizable with expiry; mutated ones, and
/// those on a store that forgets to compare versions, are not.
/// </summary>
public sealed class RecordedHistoryTests : IDisposable
{
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(2);
    private static readonly string[] Resources = ["hot", "warm", "cool"];

    private static readonly EmbeddedLeaseOptions Options = new()
    {
        Limits = new LeaseLimits { MinTtl = TimeSpan.FromMilliseconds(10), MaxTtl = TimeSpan.FromMilliseconds(200) },
    };

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Memory_UnderLoad_IsLinearizable()
    {
        await using var leases = EmbeddedLeases.InMemory(Options);

        await AssertLinearizableAsync(leases);
    }

    [Fact]
    public async Task Sqlite_UnderLoad_IsLinearizable()
    {
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path, Options);

        await AssertLinearizableAsync(leases);
    }

    [Fact]
    public async Task TwoEnginesOnOneStore_UnderLoad_GrantLinearizably()
    {
        var store = new MemoryRecordStore();
        var histories = await RecordOnTwoAsync(store);

        Assert.All(
            histories,
            history => Assert.Null(LeaseHistoryChecker.FindFault(Successes(history.Value), Options.ClockSkew + Options.Limits.MaxTtl)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TwoEnginesOnAStoreThatComparesNoVersions_AreFoundOut(bool compares)
    {
        // Both know the resource as free; then each grants it. By hand, since a load need not hit upon it.
        IRecordStore store = compares ? new MemoryRecordStore() : new ForgetfulStore();
        await using var one = Engines.Over(store, TimeProvider.System, Options);
        await using var other = Engines.Over(store, TimeProvider.System, Options);
        await one.GetAsync();
        await other.GetAsync();
        var clients = new RecordedClients(TimeProvider.System);
        foreach (var (leases, owner) in new[] { (one, "ann"), (other, "bob") })
            await clients.AcquireAsync(leases, Calls.By(owner) with { Ttl = Options.Limits.MaxTtl });

        var fault = LeaseHistoryChecker.FindFault(Assert.Single(clients.Histories).Value, Options.ClockSkew);

        Assert.Equal(compares, fault is null);
    }

    private static async Task AssertLinearizableAsync(EmbeddedLeases leases)
    {
        var grace = (await leases.InfoAsync()).Value.Grace;
        var clients = new RecordedClients(TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, 9).Select(number => Task.Run(() => clients.RunAsync(leases, number, Resources, Length))))
            .WaitAsync(Calls.WaitTimeout);

        foreach (var (resource, history) in clients.Histories)
        {
            var fault = LeaseHistoryChecker.FindFault(history, grace);
            Assert.True(fault is null, $"The history of '{resource}' has no order:{Environment.NewLine}{fault}");
            AssertMutationsAreFound(history, grace);
        }
    }

    private static void AssertMutationsAreFound(IReadOnlyList<LeaseOperation> history, TimeSpan grace)
    {
        var grants = history.OfType<LeaseOperation.Granted>().OrderBy(granted => granted.Token).ToList();
        // Once a lease has run out it may be granted to another: a grant to be faked beside must have been in force when it was answered.
        var followers = grants.Zip(grants.Skip(1)).Where(pair => pair.Second.WasInForce).ToList();
        for (var i = 0; i < followers.Count; i += followers.Count / 8)
        {
            var (before, grant) = followers[i];
            AssertFault("a token is told twice", Replace(grant, grant with { Token = before.Token }));
            AssertFault("a holder is told more than it had", Replace(
                before, before with { Told = grant.Returned + TimeSpan.FromHours(1) - before.Invoked })
                .Where(operation => EndedBy(operation) != before.Token));
            AssertFault(
                "it was granted to another from the start",
                [.. history, new LeaseOperation.Granted(grant.Returned, grant.Returned, "ghost", long.MaxValue, grant.Told, grant.Ttl)]);
            AssertFault(
                "a token that never was is renewed",
                [.. history, new LeaseOperation.Renewed(grant.Invoked, grant.Returned, long.MaxValue, grant.Told, grant.Ttl)]);
        }

        IEnumerable<LeaseOperation> Replace(LeaseOperation one, LeaseOperation by) =>
            history.Select(operation => ReferenceEquals(operation, one) ? by : operation);

        // A transfer that was answered too late to tell of it ended the lease as well.
        static long? EndedBy(LeaseOperation operation) => operation switch
        {
            LeaseOperation.Ended ended => ended.Token,
            LeaseOperation.Transferred moved => moved.From,
            LeaseOperation.GrantedUntold late => late.From,
            _ => null,
        };

        void AssertFault(string mutation, IEnumerable<LeaseOperation> mutated) =>
            Assert.True(LeaseHistoryChecker.FindFault(mutated, grace) is not null, $"Not found: {mutation}.");
    }

    private static async Task<IReadOnlyDictionary<string, IReadOnlyList<LeaseOperation>>> RecordOnTwoAsync(IRecordStore store)
    {
        await using var one = Engines.Over(store, TimeProvider.System, Options);
        await using var other = Engines.Over(store, TimeProvider.System, Options);
        var clients = new RecordedClients(TimeProvider.System);
        await Task.WhenAll(
            Enumerable.Range(0, 8).Select(
                number => Task.Run(() => clients.RunAsync(number % 2 == 0 ? one : other, number, Resources, Length))))
                    .WaitAsync(Calls.WaitTimeout);
        return clients.Histories;
    }

    // A second activation may answer reads and refusals from what it last knew; what it grants must fit all the same.
    private static IEnumerable<LeaseOperation> Successes(IEnumerable<LeaseOperation> history) =>
        history.Where(operation => operation is not (LeaseOperation.Read or LeaseOperation.FoundHeld or LeaseOperation.NotHolder));

    private sealed class ForgetfulStore : IRecordStore
    {
        private readonly System.Collections.Concurrent.ConcurrentDictionary<string, StoredRecord> _records = new();

        public bool IsDurable => false;

        public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name) =>
            ValueTask.FromResult(_records.GetValueOrDefault(name, StoredRecord.None(kind, name)));

        public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
        {
            _records[next.Name] = next;
            return ValueTask.FromResult(SaveOutcome.Saved);
        }

        public IAsyncEnumerable<StoredRecord> RangeAsync(
            RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
