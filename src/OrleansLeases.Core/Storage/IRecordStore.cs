namespace OrleansLeases.Storage;

/// <summary>
/// Keeps the records of leases and keys: the seam between the service and a database. Thread-safe; for each name the service has at
/// most one save under way, unless another process uses the same records.
/// </summary>
public interface IRecordStore
{
    /// <summary>Whether what it stores survives the process.</summary>
    bool IsDurable { get; }

    /// <summary>
    /// The restore epoch that its writes carry; known once it has started. Where a backup was restored it is higher than before, and
    /// every later token is larger than any from before. A save under another epoch than the stored one conflicts.
    /// </summary>
    int Epoch => 0;

    /// <summary>What is wrong with it just now; null where nothing is.</summary>
    StorageTrouble? Trouble => null;

    /// <summary>Makes it ready; called once, before anything else.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>When it can be used.</returns>
    /// <exception cref="Exception">It cannot be used. The message names the remedy.</exception>
    Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Reads the newest committed record, with the finished blocks of its log.</summary>
    /// <param name="kind">The record's kind.</param>
    /// <param name="name">The record's name.</param>
    /// <returns>The record; <see cref="StoredRecord.None"/> where none was ever stored.</returns>
    /// <exception cref="StoreUnreadableException">It could not be read, for a reason that callers may see.</exception>
    /// <exception cref="Exception">It could not be read. The reason goes to the log alone.</exception>
    ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name);

    /// <summary>
    /// Stores a record if the stored version is still that of the one it was made from, and answers only once that is durable or
    /// certainly did not happen.
    /// </summary>
    /// <param name="previous">What this store loaded or saved last; of version 0 where nothing was ever stored.</param>
    /// <param name="next">What to store. Its version is one more.</param>
    /// <param name="background">No caller waits for it; other saves may go first.</param>
    /// <returns>What became of it. An exception means <see cref="SaveOutcome.Unknown"/>.</returns>
    ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background);

    /// <summary>
    /// Reads committed records in the order of the UTF-8 bytes of their names. A record that cannot be read is left out and logged.
    /// </summary>
    /// <param name="kind">The kind of records.</param>
    /// <param name="from">The first name that may come.</param>
    /// <param name="heldOnly">
    /// Whether only those with <see cref="StoredRecord.IsHeld"/>; it should cost what is held, however many are not.
    /// </param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The records as they were read, without the finished blocks of their logs; the caller takes as many as it needs.</returns>
    IAsyncEnumerable<StoredRecord> RangeAsync(RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken);

    /// <summary>Finds the leases whose <see cref="StoredRecord.Due"/> has come, earliest first.</summary>
    /// <param name="query">Which of them.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>Their names.</returns>
    ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken);
}

/// <summary>What a record is of. A lease and a key may have the same name.</summary>
public enum RecordKind
{
    /// <summary>Of a resource and its leases.</summary>
    Lease = 1,

    /// <summary>Of a key.</summary>
    Key = 2,
}

/// <summary>What became of a save.</summary>
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
