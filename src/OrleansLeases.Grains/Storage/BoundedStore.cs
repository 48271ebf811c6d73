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

    // Where no record may be loaded, a load is what says so.
    public bool CanAddOrLoad => store.CanAddOrLoad && WhyNoneIsLoaded is null;

    private string? WhyNoneIsLoaded =>
        store.Trouble is { Kind: StorageTroubleKind.Unfit or StorageTroubleKind.Blind } trouble ? trouble.Reason : null;

    public ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name) =>
        WhyNoneIsLoaded is { } why ? throw new StoreUnreadableException(why) : Within(store.LoadAsync(kind, name));

    public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background) =>
        Within(store.SaveAsync(previous, next, background));

    public ValueTask<AddOrLoad> AddOrLoadAsync(StoredRecord first, bool background) => Within(store.AddOrLoadAsync(first, background));

    public bool CanDrop => store.CanDrop;

    public RecordFloor FloorOf(RecordKind kind, string name) => store.FloorOf(kind, name);

    public ValueTask<SaveOutcome> DropAsync(StoredRecord record) => Within(store.DropAsync(record));

    public ValueTask<IReadOnlyList<DueRecord>> IdleAsync(RecordKind kind, DueQuery query, CancellationToken cancellationToken) =>
        store.IdleAsync(kind, query, cancellationToken);

    public IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) =>
        store.RangeAsync(kind, from, heldOnly, cancellationToken);

    public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
        store.DueAsync(query, cancellationToken);

    private ValueTask<T> Within<T>(ValueTask<T> call) => call.IsCompleted ? call : new(call.AsTask().WaitAsync(timeout, time));
}
