namespace OrleansLeases;

/// <summary>A key that was written.</summary>
public sealed record KeyPut
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>Its version: one more than before, also across deletes, so that no version of a key is used twice.</summary>
    public required long Version { get; init; }
}

/// <summary>A key that was deleted, or was not there.</summary>
public sealed record KeyDeletion
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>Whether there was such a key.</summary>
    public required bool Existed { get; init; }
}

/// <summary>A counter after an addition.</summary>
public sealed record CounterValue
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>The sum of this addition.</summary>
    public required long Value { get; init; }

    /// <summary>The version of the key after this addition.</summary>
    public required long Version { get; init; }

    /// <summary>An earlier call with the same request id made this addition.</summary>
    public bool Replayed { get; init; }
}

/// <summary>A key and its value.</summary>
public sealed record KeyValue
{
    /// <summary>The key.</summary>
    public required string Key { get; init; }

    /// <summary>Its value.</summary>
    public required string Value { get; init; }

    /// <summary>Its version: counts puts, additions and deletes.</summary>
    public required long Version { get; init; }

    /// <summary>The lease it is bound to; absent where it is free-standing.</summary>
    public KeyLease? Lease { get; init; }
}

/// <summary>A page of keys.</summary>
public sealed record KeyPage
{
    /// <summary>
    /// The keys, in the byte order of their names, each as it was at some moment of the call. A page may have fewer keys
    /// than its size, even none, before the last one: it ends early where values are large or leases have ended.
    /// </summary>
    public required IReadOnlyList<KeyValue> Keys { get; init; }

    /// <summary>Pass it as <c>after</c> for the next page; absent on the last one.</summary>
    public string? Next { get; init; }
}
