namespace OrleansLeases.Storage;

/// <summary>
/// Stores the records of leases and keys: the interface between the service and a database. Implementations are thread-safe. For each
/// name the service has at most one save under way, unless another process uses the same records.
/// </summary>
public interface IRecordStore
{
    /// <summary>Whether what it stores survives the process.</summary>
    bool IsDurable { get; }

    /// <summary>
    /// The restore epoch that its saves carry, 0 to 8,191; known once it has started. It is raised after a backup was restored, so that
    /// every later token is larger than any before. A save whose epoch is not the stored one conflicts.
    /// </summary>
    int Epoch => 0;

    /// <summary>The current trouble of the store; null where it works.</summary>
    StorageTrouble? Trouble => null;

    /// <summary>Starts the store; called once, before all other methods.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Completes when the store can be used.</returns>
    /// <exception cref="Exception">The store cannot be used. The message names the remedy.</exception>
    Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Reads the newest committed record, with the finished blocks of its log.</summary>
    /// <param name="kind">The record's kind.</param>
    /// <param name="name">The record's name.</param>
    /// <returns>The record; <see cref="StoredRecord.None"/> where there is none.</returns>
    /// <exception cref="StoreUnreadableException">The record could not be read, for a reason that callers may see.</exception>
    /// <exception cref="Exception">The record could not be read. The message is logged and not returned to callers.</exception>
    ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name);

    /// <summary>
    /// Stores a record by compare-and-swap: only if the stored version is still that of <paramref name="previous"/>. Returns only once the
    /// record is durable or certainly not written.
    /// </summary>
    /// <param name="previous">The record that this store loaded or saved last; of version 0 where nothing was ever stored.</param>
    /// <param name="next">The record to store. Its version is one more.</param>
    /// <param name="background">Whether no caller waits for the save, so that others may go first.</param>
    /// <returns>The outcome. An exception means <see cref="SaveOutcome.Unknown"/>.</returns>
    ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background);

    /// <summary>
    /// Whether <see cref="AddOrLoadAsync"/> may be called just now: it costs no more than a load or a save by itself. False unless a store
    /// says otherwise.
    /// </summary>
    bool CanAddOrLoad => false;

    /// <summary>
    /// Stores the first record of a name, or reads the newest committed one where the name has one: a load and a save in one, for a name
    /// of which the service knows nothing.
    /// </summary>
    /// <param name="first">What to store where nothing was ever stored. Its version is 1.</param>
    /// <param name="background">No caller waits for it; other saves may go first.</param>
    /// <returns>What became of it. An exception means <see cref="SaveOutcome.Unknown"/>.</returns>
    /// <exception cref="NotSupportedException"><see cref="CanAddOrLoad"/> is false.</exception>
    ValueTask<AddOrLoad> AddOrLoadAsync(StoredRecord first, bool background) => throw new NotSupportedException();

    /// <summary>
    /// Whether it can drop records, with <see cref="FloorOf"/>, <see cref="DropAsync"/> and <see cref="IdleAsync"/>. Where it cannot, it
    /// keeps a record for every name that was ever used. False unless a store says otherwise.
    /// </summary>
    bool CanDrop => false;

    /// <summary>
    /// The floor of a name's shard, as far as it is known without asking the database: the service makes a first record above it. It may
    /// lag: a first record whose <see cref="StoredRecord.Floor"/> does not cover the stored floor conflicts, and the store then knows
    /// the stored one.
    /// </summary>
    /// <param name="kind">The kind of the record.</param>
    /// <param name="name">The name of the record.</param>
    /// <returns>The floor; zero unless a store drops records.</returns>
    RecordFloor FloorOf(RecordKind kind, string name) => default;

    /// <summary>
    /// Drops a record by compare-and-swap, with the blocks of its log, and raises the floor of its shard to
    /// <see cref="StoredRecord.FloorAfter"/>, in one transaction: both or neither. Nobody waits for it, so other saves may go first.
    /// </summary>
    /// <param name="record">The record that this store loaded or saved last.</param>
    /// <returns>The outcome, as that of a save. An exception means <see cref="SaveOutcome.Unknown"/>.</returns>
    /// <exception cref="NotSupportedException"><see cref="CanDrop"/> is false.</exception>
    ValueTask<SaveOutcome> DropAsync(StoredRecord record) => throw new NotSupportedException();

    /// <summary>
    /// Finds records whose <see cref="StoredRecord.IdleSince"/> is not after a time, the longest idle first. The cost should not depend
    /// on the others. It may find a record later than it is idle, and one that is not idle any more.
    /// </summary>
    /// <param name="kind">The kind of records: leases or keys.</param>
    /// <param name="query">Selects the page.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>One page, with fewer records than its size where it is the last.</returns>
    ValueTask<IReadOnlyList<DueRecord>> IdleAsync(RecordKind kind, DueQuery query, CancellationToken cancellationToken) => new([]);

    /// <summary>
    /// Reads committed records in the order of the UTF-8 bytes of their names. A record that cannot be read is left out and logged.
    /// </summary>
    /// <param name="kind">The kind of records.</param>
    /// <param name="from">The first name, inclusive.</param>
    /// <param name="heldOnly">
    /// Whether to read only records with <see cref="StoredRecord.IsHeld"/>; the cost should not depend on the others.
    /// </param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The records as they were read, without the finished blocks of their logs; the caller takes as many as it needs.</returns>
    IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken);

    /// <summary>Finds records of one kind whose <see cref="StoredRecord.Due"/> has come, earliest first.</summary>
    /// <param name="query">Selects the page.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>One page, with fewer records than its size where it is the last.</returns>
    ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken);
}

/// <summary>The kind of a record. Records of several kinds may have the same name.</summary>
public enum RecordKind
{
    /// <summary>The record of a resource and its leases.</summary>
    Lease = 1,

    /// <summary>The record of a key.</summary>
    Key = 2,

    /// <summary>A record of <see cref="IServiceRecords"/>. It has no log and is never due.</summary>
    Service = 3,
}

/// <summary>The outcome of a save.</summary>
public enum SaveOutcome
{
    /// <summary>It is durable.</summary>
    Saved = 1,

    /// <summary>The stored version or epoch was another: certainly not written.</summary>
    Conflict = 2,

    /// <summary>Certainly not written, for another reason, such as a full disk.</summary>
    NotSaved = 3,

    /// <summary>It may have been written, or may yet be.</summary>
    Unknown = 4,
}

/// <summary>What became of an <see cref="IRecordStore.AddOrLoadAsync"/>.</summary>
/// <param name="Outcome">Whether it was stored; <see cref="SaveOutcome.Conflict"/> where there was a record.</param>
/// <param name="Found">
/// That record, as a load would read it; null where there was none, and where it could not be read: a load then says why.
/// </param>
public readonly record struct AddOrLoad(SaveOutcome Outcome, StoredRecord? Found = null);
