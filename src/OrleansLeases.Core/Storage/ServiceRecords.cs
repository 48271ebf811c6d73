using System.Text;
using OrleansLeases.Core;

namespace OrleansLeases.Storage;

/// <summary>The service's own records on a store: each the record of a key that no keeper owns and that has no log.</summary>
internal sealed class ServiceRecords(IRecordStore store) : IServiceRecords
{
    private const int MaxNameLength = 256;
    private const int MaxValueBytes = 64 * 1024;

    public async ValueTask<ServiceRecord> LoadAsync(string name, CancellationToken cancellationToken = default)
    {
        CheckName(name);
        return Of(await store.LoadAsync(RecordKind.Service, name).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false));
    }

    public async ValueTask<ServiceRecord?> TrySaveAsync(
        ServiceRecord read, string? value, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(read);
        if (value is not null && Encoding.UTF8.GetByteCount(value) > MaxValueBytes)
            throw new ArgumentException($"The value of '{read.Name}' has more than {MaxValueBytes} bytes of UTF-8.", nameof(value));
        var previous = (StoredRecord)read.Stored;
        var next = new StoredRecord(
            RecordKind.Service, read.Name, previous.Key with { Version = previous.Version + 1, Value = value });
        var outcome = await store.SaveAsync(previous, next, background: false).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        return outcome switch
        {
            SaveOutcome.Saved => Of(next),
            SaveOutcome.Conflict => null,
            _ => throw new IOException($"It is not known whether '{read.Name}' was stored ({outcome}); read it again."),
        };
    }

    public async ValueTask<IReadOnlyList<ServiceRecord>> ListAsync(string prefix, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        // Off the caller's thread: a store may read a disk on the one that asks.
        return await Task.Run(async () =>
        {
            var records = new List<ServiceRecord>();
            await foreach (var record in store.RangeAsync(RecordKind.Service, prefix, heldOnly: true, cancellationToken))
            {
                if (!record.Name.StartsWith(prefix, StringComparison.Ordinal)) break;
                records.Add(Of(record));
            }

            return records;
        }, cancellationToken).ConfigureAwait(false);
    }

    private static ServiceRecord Of(StoredRecord record) => new(record.Name, record.Key.Value, record);

    private static void CheckName(string name)
    {
        if (string.IsNullOrEmpty(name) || name.Length > MaxNameLength
            || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '/'))
            throw new ArgumentException(
                $"The name is '{name}'; it takes 1 to {MaxNameLength} letters, digits, '-', '_' and '/' of ASCII.", nameof(name));
    }
}
