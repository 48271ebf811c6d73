using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using OrleansLeases.Core;

namespace OrleansLeases.Storage;

/// <summary>
/// Keeps records in memory, as long as this object lives. Thread-safe; several services and silos of one process may share it.
/// </summary>
public sealed class MemoryRecordStore : IRecordStore, IMeasuredStore
{
    private readonly FloorTable _floors = new();
    private readonly Table _leases;
    private readonly Table _keys;
    private readonly Table _service;

    /// <summary>Makes a store without records.</summary>
    public MemoryRecordStore() =>
        (_leases, _keys, _service) = (new(RecordKind.Lease, _floors), new(RecordKind.Key, _floors), new(RecordKind.Service, _floors));

    /// <inheritdoc/>
    public bool IsDurable => false;

    /// <inheritdoc/>
    public bool CanDrop => true;

    /// <inheritdoc/>
    public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name) =>
        ValueTask.FromResult(TableOf(kind).Records.TryGetValue(name, out var record) ? record : StoredRecord.None(kind, name));

    /// <inheritdoc/>
    public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
    {
        ArgumentNullException.ThrowIfNull(previous);
        ArgumentNullException.ThrowIfNull(next);
        return ValueTask.FromResult(TableOf(next.Kind).TrySave(previous, next) ? SaveOutcome.Saved : SaveOutcome.Conflict);
    }

    /// <inheritdoc/>
    public RecordFloor FloorOf(RecordKind kind, string name) => _floors.Of(kind, name);

    /// <inheritdoc/>
    public ValueTask<SaveOutcome> DropAsync(StoredRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        return ValueTask.FromResult(TableOf(record.Kind).TryDrop(record) ? SaveOutcome.Saved : SaveOutcome.Conflict);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DueRecord>> IdleAsync(RecordKind kind, DueQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        return ValueTask.FromResult<IReadOnlyList<DueRecord>>(TableOf(kind).Idle(query));
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
        ReadAsync(TableOf(kind), from, heldOnly, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        var due = from record in TableOf(query.Kind).Records.Values
                  let at = record.Due
                  where at <= query.Until && query.Takes(record.Name) && (query.After is not { } last || at > last.At
                      || (at == last.At && Utf8Order.Instance.Compare(record.Name, last.Name) > 0))
                  select new DueRecord(record.Name, at.Value);
        return ValueTask.FromResult<IReadOnlyList<DueRecord>>(
            [.. due.OrderBy(record => record.At).ThenBy(record => record.Name, Utf8Order.Instance).Take(query.Limit)]);
    }

    StoreSize? IMeasuredStore.Measure() => new(_leases.Records.Count + _keys.Records.Count, null);

    private static async IAsyncEnumerable<StoredRecord> ReadAsync(
        Table table, string from, bool heldOnly, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var name in (heldOnly ? table.Held : table.Names).From(from))
        {
            cancellationToken.ThrowIfCancellationRequested();
            // It may have been dropped since.
            if (table.Records.TryGetValue(name, out var record) && (!heldOnly || record.IsHeld)) yield return record;
        }
    }

    private Table TableOf(RecordKind kind) => kind switch
    {
        RecordKind.Lease => _leases,
        RecordKind.Key => _keys,
        _ => _service,
    };

    private sealed class Table(RecordKind kind, FloorTable floors)
    {
        // Held by what makes the first record of a name, and by what drops one: so that no first record is made above a floor that has
        // risen meanwhile.
        private readonly Lock _gate = new();
        private readonly IdleNames _idle = new();

        public ConcurrentDictionary<string, StoredRecord> Records { get; } = new(StringComparer.Ordinal);

        public NameIndex Names { get; } = new();

        public NameIndex Held { get; } = new();

        public bool TrySave(StoredRecord previous, StoredRecord next)
        {
            if (previous.Version == 0)
            {
                lock (_gate)
                {
                    if (!next.Floor.Covers(floors.Of(kind, next.Name)) || !Records.TryAdd(next.Name, next)) return false;
                    Names.Add(next.Name);
                }
            }
            else if (!Records.TryGetValue(next.Name, out var current) || current.Version != previous.Version
                || !Records.TryUpdate(next.Name, next, current))
            {
                return false;
            }

            if (previous.IsHeld != next.IsHeld) Held.Set(next.Name, Records, IsHeld);
            if (next.IdleSince is { } since) _idle.Note(next.Name, since);
            return true;
        }

        public bool TryDrop(StoredRecord record)
        {
            lock (_gate)
            {
                if (!Records.TryGetValue(record.Name, out var current) || current.Version != record.Version) return false;
                // Before the record goes: one that finds none is made above it.
                floors.Raise(kind, RecordFloor.ShardOf(record.Name), record.FloorAfter);
                if (!Records.TryRemove(new(record.Name, current))) return false;
                Names.Set(record.Name, Records, static (records, name) => records.ContainsKey(name));
                Held.Set(record.Name, Records, IsHeld);
                return true;
            }
        }

        public List<DueRecord> Idle(DueQuery query) =>
            _idle.Find(query, name => Records.TryGetValue(name, out var record) ? record.IdleSince : null);

        private static bool IsHeld(ConcurrentDictionary<string, StoredRecord> records, string name) =>
            records.TryGetValue(name, out var record) && record.IsHeld;
    }
}
