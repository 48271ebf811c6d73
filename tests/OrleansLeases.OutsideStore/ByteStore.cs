using System.Runtime.CompilerServices;
using System.Text;
using OrleansLeases.Storage;

namespace OrleansLeases.OutsideStore;

/// <summary>
/// A store as an application writes one: bytes by name, under one lock, which is what a transaction of a database would be. It knows
/// nothing of records but what they show. It says that it is durable, as its bytes outlive the service that is opened on them.
/// </summary>
public sealed class ByteStore : IRecordStore
{
    private static readonly Comparer<string> ByBytes =
        Comparer<string>.Create((one, other) => Encoding.UTF8.GetBytes(one).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(other)));

    private readonly Lock _gate = new();
    private readonly Dictionary<RecordKind, SortedDictionary<string, Row>> _tables =
        Enum.GetValues<RecordKind>().ToDictionary(kind => kind, _ => new SortedDictionary<string, Row>(ByBytes));

    private readonly Dictionary<(RecordKind, int), RecordFloor> _floors = [];

    public bool IsDurable => true;

    public bool CanDrop => true;

    public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name)
    {
        lock (_gate)
        {
            if (!_tables[kind].TryGetValue(name, out var row)) return ValueTask.FromResult(StoredRecord.None(kind, name));
            var record = StoredRecord.Read(kind, name, row.Payload);
            return ValueTask.FromResult(record.WithBlocks(row.Blocks.Select(block => (ReadOnlyMemory<byte>)block.Value)));
        }
    }

    public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
    {
        lock (_gate)
        {
            var table = _tables[next.Kind];
            var stored = table.GetValueOrDefault(next.Name);
            if ((stored?.Version ?? 0) != previous.Version || (stored is null && !next.Floor.Covers(FloorOf(next.Kind, next.Name))))
                return ValueTask.FromResult(SaveOutcome.Conflict);
            var blocks = new SortedDictionary<long, byte[]>(stored?.Blocks ?? []);
            foreach (var block in next.FinishedSince(previous)) blocks[block.Number] = block.Entries.ToArray();
            foreach (var old in blocks.Keys.Where(number => number < next.FirstBlock).ToList()) blocks.Remove(old);
            table[next.Name] = new(next.Version, next.IsHeld, next.Due, next.IdleSince, next.Encode(), blocks);
            return ValueTask.FromResult(SaveOutcome.Saved);
        }
    }

    public RecordFloor FloorOf(RecordKind kind, string name)
    {
        lock (_gate) return _floors.GetValueOrDefault((kind, RecordFloor.ShardOf(name)));
    }

    public ValueTask<SaveOutcome> DropAsync(StoredRecord record)
    {
        lock (_gate)
        {
            if (_tables[record.Kind].GetValueOrDefault(record.Name)?.Version != record.Version)
                return ValueTask.FromResult(SaveOutcome.Conflict);
            _tables[record.Kind].Remove(record.Name);
            _floors[(record.Kind, RecordFloor.ShardOf(record.Name))] = FloorOf(record.Kind, record.Name).RaisedTo(record.FloorAfter);
            return ValueTask.FromResult(SaveOutcome.Saved);
        }
    }

    public ValueTask<IReadOnlyList<DueRecord>> IdleAsync(RecordKind kind, DueQuery query, CancellationToken cancellationToken) =>
        PageOf(kind, query, row => row.IdleSince);

    public async IAsyncEnumerable<StoredRecord> RangeAsync(
        RecordKind kind, string from, bool heldOnly, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        List<KeyValuePair<string, Row>> rows;
        lock (_gate) rows = [.. _tables[kind].Where(row => ByBytes.Compare(row.Key, from) >= 0 && (row.Value.IsHeld || !heldOnly))];
        foreach (var (name, row) in rows)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return StoredRecord.Read(kind, name, row.Payload);
        }
    }

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
        PageOf(query.Kind, query, row => row.Due);

    private ValueTask<IReadOnlyList<DueRecord>> PageOf(RecordKind kind, DueQuery query, Func<Row, long?> at)
    {
        lock (_gate)
        {
            // The sort is stable, and the names come in their order.
            var due = _tables[kind]
                .Where(row => at(row.Value) <= query.Until && query.Takes(row.Key))
                .OrderBy(row => at(row.Value))
                .Select(row => new DueRecord(row.Key, at(row.Value)!.Value))
                .Where(
                    row => query.After is not { } last || row.At > last.At
                        || (row.At == last.At && ByBytes.Compare(row.Name, last.Name) > 0));
            return ValueTask.FromResult<IReadOnlyList<DueRecord>>([.. due.Take(query.Limit)]);
        }
    }

    private sealed record Row(long Version, bool IsHeld, long? Due, long? IdleSince, byte[] Payload, SortedDictionary<long, byte[]> Blocks);
}
