using OrleansLeases.Core;

namespace OrleansLeases.Simulation.Store;

// What a host knows of floors: those of when it started, and what it has heard of since, as a silo does.
internal sealed partial class HostStore
{
    private readonly FloorTable _floors = KnownAtStart(store);

    public bool CanDrop => true;

    /// <summary>Whether somebody watches a record at this host.</summary>
    public Func<RecordKind, string, bool> IsWatched { get; set; } = (_, _) => false;

    public RecordFloor FloorOf(RecordKind kind, string name) => _floors.Of(kind, name);

    public async ValueTask<SaveOutcome> DropAsync(StoredRecord record)
    {
        if (IsWatched(record.Kind, record.Name)) store.Truth.Names.IsWatched(record);
        var outcome = await AskAsync(_ => Drop(record) ? SaveOutcome.Saved : SaveOutcome.Conflict, isWrite: true, SaveOutcome.NotSaved)
            .ConfigureAwait(false);
        if (outcome == SaveOutcome.Saved) Know(record.Kind, record.Name, record.FloorAfter);
        return outcome;
    }

    public ValueTask<IReadOnlyList<DueRecord>> IdleAsync(RecordKind kind, DueQuery query, CancellationToken cancellationToken) =>
        new(AskAsync<IReadOnlyList<DueRecord>>(_ => store.Idle(kind, query), isWrite: false));

    private static FloorTable KnownAtStart(SimStore store)
    {
        var floors = new FloorTable();
        foreach (var (kind, shard, floor) in store.Floors) floors.Raise(kind, shard, floor);
        return floors;
    }

    // Who has the file raises what it knows with what it writes, whether its answer comes or not.
    private bool Drop(StoredRecord record)
    {
        if (!store.TryDrop(record, _epoch)) return false;
        if (isOnlyWriter) Know(record.Kind, record.Name, record.FloorAfter);
        return true;
    }

    // A first record was not written: there is one, or the floor has risen since it was last known here.
    private async Task LearnFloorAsync(RecordKind kind, string name)
    {
        try
        {
            Know(kind, name, await AskAsync(_ => store.FloorOf(kind, name), isWrite: false).ConfigureAwait(false));
        }
        catch (TimeoutException)
        {
            // The next conflict asks again.
        }
    }

    private void Know(RecordKind kind, string name, RecordFloor floor) => _floors.Raise(kind, RecordFloor.ShardOf(name), floor);
}
