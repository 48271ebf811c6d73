namespace OrleansLeases.Storage;

/// <summary>Which due records a sweep wants.</summary>
public sealed record DueQuery
{
    /// <summary>Milliseconds since the Unix epoch until which a record must be due, inclusive.</summary>
    public required long Until { get; init; }

    /// <summary>How many at most.</summary>
    public required int Limit { get; init; }

    /// <summary>The last record of the page before; null to start.</summary>
    public DueRecord? After { get; init; }

    /// <summary>The shard of names that is swept, from 0.</summary>
    public int Shard { get; init; }

    /// <summary>How many shards there are.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>
    /// Whether a name is in the shard, for a store that does not divide names by a hash of its own. Sweeps cover every name where each
    /// is in exactly one shard, and always in the same.
    /// </summary>
    /// <param name="name">The name of a record.</param>
    /// <returns>Whether this sweep is to find it.</returns>
    public bool Takes(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (Shards == 1) return true;
        // FNV-1a: the same in every process, unlike the hash codes of .NET.
        var hash = 2166136261u;
        foreach (var unit in name) hash = (hash ^ unit) * 16777619u;
        return hash % (uint)Shards == Shard;
    }
}

/// <summary>A record that changes by itself.</summary>
/// <param name="Name">Its name.</param>
/// <param name="At">Milliseconds since the Unix epoch at which.</param>
/// <param name="Id">A number of the store's, where it tells records of the same time apart by one.</param>
public sealed record DueRecord(string Name, long At, long Id = 0);
