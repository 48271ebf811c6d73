namespace OrleansLeases.Embedded.Tests.Telemetry;

/// <summary>A store that says what a test tells it to say.</summary>
internal sealed class TroubledStore(IRecordStore behind) : IRecordStore
{
    public IRecordStore Behind => behind;

    public StorageTrouble? Trouble { get; set; }

    /// <summary>What becomes of the next save, which is then not made.</summary>
    public Queue<SaveOutcome> Outcomes { get; } = [];

    /// <summary>Whether loads fail.</summary>
    public bool FailsLoads { get; set; }

    /// <summary>Completes saves of keys; null where they are at once.</summary>
    public TaskCompletionSource? KeysGoOn { get; set; }

    public bool IsDurable => behind.IsDurable;

    public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name) =>
        FailsLoads ? throw new IOException("gone") : behind.LoadAsync(kind, name);

    public async ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background)
    {
        if (Outcomes.TryDequeue(out var outcome)) return outcome;
        if (next.Kind == RecordKind.Key && KeysGoOn is { } goOn) await goOn.Task;
        return await behind.SaveAsync(previous, next, background);
    }

    public IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
        behind.RangeAsync(kind, from, heldOnly, cancellationToken);

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
        behind.DueAsync(query, cancellationToken);
}
