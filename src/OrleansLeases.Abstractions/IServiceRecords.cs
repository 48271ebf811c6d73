namespace OrleansLeases;

/// <summary>
/// What a service keeps for its own use beside the records of leases and keys, on the same store: credentials, signing keys. Neither
/// listings nor watches show them, and no request names them. The embedded engine and the Orleans host have one. Thread-safe.
/// </summary>
public interface IServiceRecords
{
    /// <summary>Reads a record.</summary>
    /// <param name="name">Its name: 1 to 256 letters, digits, <c>-</c>, <c>_</c> and <c>/</c> of ASCII.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The record; one without a value where there is none.</returns>
    /// <exception cref="Exception">The store could not be read.</exception>
    ValueTask<ServiceRecord> LoadAsync(string name, CancellationToken cancellationToken = default);

    /// <summary>Writes a record, if nobody has written it since it was read.</summary>
    /// <param name="read">The record that was read.</param>
    /// <param name="value">Its new value, at most 64 KiB of UTF-8; null deletes it.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the write may still happen.</param>
    /// <returns>The record as it is now stored; null where another was written since, and nothing was changed: read again.</returns>
    /// <exception cref="IOException">Nothing is known of the write, or it certainly did not happen: read again to find out.</exception>
    ValueTask<ServiceRecord?> TrySaveAsync(ServiceRecord read, string? value, CancellationToken cancellationToken = default);

    /// <summary>Reads all records whose names start with a prefix and that have a value, in the order of their names.</summary>
    /// <param name="prefix">The prefix.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The records, as they were at some moment of the call.</returns>
    /// <exception cref="Exception">The store could not be read.</exception>
    ValueTask<IReadOnlyList<ServiceRecord>> ListAsync(string prefix, CancellationToken cancellationToken = default);
}

/// <summary>One record of <see cref="IServiceRecords"/>. Immutable.</summary>
public sealed class ServiceRecord
{
    internal ServiceRecord(string name, string? value, object stored) => (Name, Value, Stored) = (name, value, stored);

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>Its value; null where there is no such record.</summary>
    public string? Value { get; }

    /// <summary>What the store compares with.</summary>
    internal object Stored { get; }

    /// <summary>Names it, and never its value, which may be a secret.</summary>
    /// <returns>The name.</returns>
    public override string ToString() => Name;
}
