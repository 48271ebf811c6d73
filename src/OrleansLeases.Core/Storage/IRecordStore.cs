namespace OrleansLeases.Core;

/// <summary>
/// Where the records of one kind are kept. Safe for concurrent use; a keeper has at most one call for each name under way.
/// </summary>
/// <typeparam name="TState">The record: that of a resource or of a key.</typeparam>
public interface IRecordStore<TState>
    where TState : class, IRecord
{
    /// <summary>Reads the newest committed record.</summary>
    /// <param name="name">The name of the record.</param>
    /// <returns>The record as it was stored; one of version 0 where none is.</returns>
    /// <exception cref="Exception">It could not be read; nothing is known of it.</exception>
    ValueTask<TState> LoadAsync(string name);

    /// <summary>
    /// Stores a record if the stored version is still that of the one it was made from (compare-and-swap), and
    /// answers only when that is durable or certainly did not happen.
    /// </summary>
    /// <param name="name">The name of the record.</param>
    /// <param name="previous">What <paramref name="next"/> was made from; version 0 where nothing was ever stored.</param>
    /// <param name="next">What to store; its version is one more.</param>
    /// <param name="background">Nobody waits for this save; others may go first.</param>
    /// <returns>What happened. An exception means <see cref="SaveOutcome.Unknown"/>.</returns>
    ValueTask<SaveOutcome> SaveAsync(string name, TState previous, TState next, bool background);
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
