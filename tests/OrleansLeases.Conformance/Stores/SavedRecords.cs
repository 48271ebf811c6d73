using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Conformance.Stores;

/// <summary>
/// Records as the service makes them, in the order in which it stored them: a store test gives them to the store under test.
/// </summary>
internal sealed class SavedRecords : IRecordStore
{
    private readonly MemoryRecordStore _behind = new();
    private readonly List<StoredRecord> _saved = [];
    private RecordFloor _floor;

    public bool IsDurable => false;

    /// <summary>Has the service work, and notes what it stores.</summary>
    /// <param name="work">What is asked of the service, under a clock that stands still unless it is moved.</param>
    /// <param name="floor">What their first records are made above.</param>
    /// <returns>The records, each as if a store had just read it.</returns>
    public static async Task<List<StoredRecord>> OfAsync(Func<ILeaseService, ManualTimeProvider, Task> work, RecordFloor floor = default)
    {
        var store = new SavedRecords { _floor = floor };
        // Far off, so that no sweeper of the store under test finds them due.
        var time = new ManualTimeProvider(new DateTimeOffset(2100, 1, 1, 0, 0, 0, TimeSpan.Zero));
        await using (var leases = await EmbeddedLeases.OpenAsync(store, time: time)) await work(leases, time);
        lock (store._saved) return [.. store._saved];
    }

    /// <summary>The records of one lease after another, each granted once.</summary>
    public static Task<List<StoredRecord>> OfLeasesAsync(
        IEnumerable<string> names, TimeSpan? apart = null) => OfAsync(async (leases, time) =>
    {
        foreach (var name in names)
        {
            Assert.Null(
                (await leases.AcquireAsync(new AcquireRequest { Resource = name, Owner = "me", Ttl = TimeSpan.FromMinutes(1) })).Refusal);
            time.Advance(apart ?? TimeSpan.Zero);
        }
    });

    public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name) => _behind.LoadAsync(kind, name);

    public RecordFloor FloorOf(RecordKind kind, string name) => _floor;

    public async ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
    {
        lock (_saved) _saved.Add(next);
        return await _behind.SaveAsync(previous, next, background);
    }

    public IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
        _behind.RangeAsync(kind, from, heldOnly, cancellationToken);

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
        _behind.DueAsync(query, cancellationToken);
}
