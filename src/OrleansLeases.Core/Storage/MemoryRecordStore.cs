using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using OrleansLeases.Core;

namespace OrleansLeases.Storage;

/// <summary>
/// Keeps records in memory, as long as this object lives. Thread-safe; several services and silos of one process may share it.
/// </summary>
public sealed class MemoryRecordStore : IRecordStore
{
    private readonly Table _leases = new();
    private readonly Table _keys = new();
    private readonly Table _service = new();

    /// <inheritdoc/>
    public bool IsDurable => false;

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
    public IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
        ReadAsync(TableOf(kind), from, heldOnly, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        var due = from record in _leases.Records.Values
                  let at = record.Due
                  where at <= query.Until && query.Takes(record.Name) && (query.After is not { } last || at > last.At
                      || (at == last.At && Utf8Order.Instance.Compare(record.Name, last.Name) > 0))
                  select new DueRecord(record.Name, at.Value);
        return ValueTask.FromResult<IReadOnlyList<DueRecord>>(
            [.. due.OrderBy(record => record.At).ThenBy(record => record.Name, Utf8Order.Instance).Take(query.Limit)]);
    }

    private static async IAsyncEnumerable<StoredRecord> ReadAsync(
        Table table, string from, bool heldOnly, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        foreach (var name in (heldOnly ? table.Held : table.Names).From(from))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var record = table.Records[name];
            if (!heldOnly || record.IsHeld) yield return record;
        }
    }

    private Table TableOf(RecordKind kind) => kind switch
    {
        RecordKind.Lease => _leases,
        RecordKind.Key => _keys,
        _ => _service,
    };

    private sealed class Table
    {
        public ConcurrentDictionary<string, StoredRecord> Records { get; } = new(StringComparer.Ordinal);

        public NameIndex Names { get; } = new();

        public NameIndex Held { get; } = new();

        public bool TrySave(StoredRecord previous, StoredRecord next)
        {
            if (previous.Version == 0)
            {
                if (!Records.TryAdd(next.Name, next)) return false;
                Names.Add(next.Name);
            }
            else if (!Records.TryGetValue(next.Name, out var current) || current.Version != previous.Version
                || !Records.TryUpdate(next.Name, next, current))
            {
                return false;
            }

            if (previous.IsHeld != next.IsHeld) Held.Set(next.Name, Records, static (records, name) => records[name].IsHeld);
            return true;
        }
    }
}
