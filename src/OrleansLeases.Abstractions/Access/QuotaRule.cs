namespace OrleansLeases;

/// <summary>
/// Bounds what a principal may use up among the names below a prefix, at one server: each silo counts for itself, and begins anew when
/// it starts. Renewals and releases are never held back by one. Immutable.
/// </summary>
public sealed record QuotaRule
{
    /// <summary>The names it is for, as the prefix of an <see cref="AccessRule"/>. Empty for all.</summary>
    public required string Prefix { get; init; }

    /// <summary>How many leases the principal may hold at once, those among them whose grant it may have missed. Null for any.</summary>
    public int? Leases { get; init; }

    /// <summary>How many of its calls may wait in queues at once. Null for any.</summary>
    public int? Waits { get; init; }

    /// <summary>How many watches it may have open at once, those of a prefix among them that covers such names. Null for any.</summary>
    public int? Watches { get; init; }

    /// <summary>How many keys it may have put that are still there, as far as the server knows. Null for any.</summary>
    public int? Keys { get; init; }

    /// <summary>How many bytes of UTF-8 those keys and their values may have together. Null for any.</summary>
    public long? KeyBytes { get; init; }

    /// <summary>
    /// How many names it may begin to use in a minute, beyond the last 10,000 that it has used at the server: a key is another name than
    /// a resource that is called the same. Null for any.
    /// </summary>
    public int? FreshNamesPerMinute { get; init; }

    /// <summary>How many calls it may make in a second, besides renewals and releases, after a burst of as many. Null for any.</summary>
    public int? CallsPerSecond { get; init; }
}
