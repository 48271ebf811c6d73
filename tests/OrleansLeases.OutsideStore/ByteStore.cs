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

    public bool IsDurable => true;

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
            if ((stored?.Version ?? 0) != previous.Version) return ValueTask.FromResult(SaveOutcome.Conflict);
            var blocks = new SortedDictionary<long, byte[]>(stored?.Blocks ?? []);
            foreach (var block in next.FinishedSince(previous)) blocks[block.Number] = block.Entries.ToArray();
            foreach (var old in blocks.Keys.Where(number => number < next.FirstBlock).ToList()) blocks.Remove(old);
            table[next.Name] = new(next.Version, next.IsHeld, next.Due, next.Encode(), blocks);
            return ValueTask.FromResult(SaveOutcome.Saved);
        }
    }

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

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            // The sort is stable, and the names come in their order.
            var due = _tables[RecordKind.Lease]
                .Where(row => row.Value.Due <= query.Until && query.Takes(row.Key))
                .OrderBy(row => row.Value.Due)
                .Select(row => new DueRecord(row.Key, row.Value.Due!.Value))
                .Where(
                    row => query.After is not { } last || row.At > last.At
                        || (row.At == last.At && ByBytes.Compare(row.Name, last.Name) > 0));
            return ValueTask.FromResult<IReadOnlyList<DueRecord>>([.. due.Take(query.Limit)]);
        }
    }

    private sealed record Row(long Version, bool IsHeld, long? Due, byte[] Payload, SortedDictionary<long, byte[]> Blocks);
}
