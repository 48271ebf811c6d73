namespace OrleansLeases.Core;

/// <summary>Where the records of keys are kept: as <see cref="ILeaseStore"/> keeps those of resources, with the same duties.</summary>
public interface IKeyStore
{
    /// <summary>Reads the newest committed record.</summary>
    /// <param name="key">The key.</param>
    /// <returns>The record as it was stored, or <see cref="KeyState.Unused"/>.</returns>
    /// <exception cref="Exception">It could not be read; nothing is known of it.</exception>
    ValueTask<KeyState> LoadKeyAsync(string key);

    /// <summary>
    /// Stores a record if the stored version is still that of the one it was made from (compare-and-swap), and
    /// answers only when that is durable or certainly did not happen.
    /// </summary>
    /// <param name="key">The key.</param>
    /// <param name="previous">What <paramref name="next"/> was made from; version 0 for a key never stored.</param>
    /// <param name="next">What to store; its version is one more.</param>
    /// <param name="background">Nobody waits for this save; others may go first.</param>
    /// <returns>What happened. An exception means <see cref="SaveOutcome.Unknown"/>.</returns>
    ValueTask<SaveOutcome> SaveKeyAsync(string key, KeyState previous, KeyState next, bool background);
}
