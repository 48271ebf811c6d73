namespace OrleansLeases.Core;

/// <summary>Where records are kept. Safe for concurrent use; a keeper has at most one call per resource under way.</summary>
public interface ILeaseStore
{
    /// <summary>Reads the newest committed record.</summary>
    /// <param name="resource">The resource.</param>
    /// <returns>The record as it was stored, or <see cref="LeaseState.Unused"/>.</returns>
    /// <exception cref="Exception">It could not be read; nothing is known of it.</exception>
    ValueTask<LeaseState> LoadAsync(string resource);

    /// <summary>
    /// Stores a record if the stored version is still that of the one it was made from (compare-and-swap), and
    /// answers only when that is durable or certainly did not happen.
    /// </summary>
    /// <param name="resource">The resource.</param>
    /// <param name="previous">What <paramref name="next"/> was made from; version 0 for a resource never stored.</param>
    /// <param name="next">What to store; its version is one more.</param>
    /// <param name="background">Nobody waits for this save; others may go first.</param>
    /// <returns>What happened. An exception means <see cref="SaveOutcome.Unknown"/>.</returns>
    ValueTask<SaveOutcome> SaveAsync(string resource, LeaseState previous, LeaseState next, bool background);
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
