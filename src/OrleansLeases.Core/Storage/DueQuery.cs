using OrleansLeases.Core;

namespace OrleansLeases.Storage;

/// <summary>Selects records for a sweep: those that are due, or those that are idle. Immutable.</summary>
public sealed record DueQuery
{
    /// <summary>The kind of records that are due: leases, the default, or keys. Those that are idle are asked for by their kind.</summary>
    public RecordKind Kind { get; init; } = RecordKind.Lease;

    /// <summary>Milliseconds since the Unix epoch until which a record must be due, or have become idle, inclusive.</summary>
    public required long Until { get; init; }

    /// <summary>The size of the page, 1 or more.</summary>
    public required int Limit { get; init; }

    /// <summary>The last record of the page before; null to start.</summary>
    public DueRecord? After { get; init; }

    /// <summary>The shard of names to sweep, from 0; 0 by default.</summary>
    public int Shard { get; init; }

    /// <summary>The number of shards; 1 by default.</summary>
    public int Shards { get; init; } = 1;

    /// <summary>
    /// Whether a name is in the shard, for a store without a hash of its own. A store that uses another hash must always put a name into
    /// the same, single shard.
    /// </summary>
    /// <param name="name">The name of a record.</param>
    /// <returns>Whether it is in the shard.</returns>
    public bool Takes(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Shards == 1 || NameHash.Of(name) % (uint)Shards == Shard;
    }
}

/// <summary>A record that a sweep has found. Immutable.</summary>
/// <param name="Name">Its name.</param>
/// <param name="At">
/// Its <see cref="StoredRecord.Due"/>, or its <see cref="StoredRecord.IdleSince"/>: milliseconds since the Unix epoch.
/// </param>
/// <param name="Id">A row number of the store, where it uses one to order records of the same time; otherwise 0.</param>
public sealed record DueRecord(string Name, long At, long Id = 0);
