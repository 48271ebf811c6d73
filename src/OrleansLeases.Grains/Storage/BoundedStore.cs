using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// A store as the keepers of a silo use it: no call takes longer than a time limit, and no record is loaded through a store whose
/// trouble forbids that.
/// </summary>
internal sealed class BoundedStore(IRecordStore store, TimeSpan timeout, TimeProvider time) : IRecordStore
{
    public bool IsDurable => store.IsDurable;

    public int Epoch => store.Epoch;

    public StorageTrouble? Trouble => store.Trouble;

    public Task StartAsync(CancellationToken cancellationToken) => store.StartAsync(cancellationToken);

    public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name)
    {
        if (store.Trouble is { Kind: StorageTroubleKind.Unfit or StorageTroubleKind.Blind } trouble)
            throw new StoreUnreadableException(trouble.Reason);
        return Within(store.LoadAsync(kind, name));
    }

    public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background) =>
        Within(store.SaveAsync(previous, next, background));

    public IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
        store.RangeAsync(kind, from, heldOnly, cancellationToken);

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
        store.DueAsync(query, cancellationToken);

    private ValueTask<T> Within<T>(ValueTask<T> call) => call.IsCompleted ? call : new(call.AsTask().WaitAsync(timeout, time));
}
