using Orleans.Configuration;
using Orleans.Runtime;
using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>The options of a cluster's leases; the same on every silo. Checked when the silo starts.</summary>
public sealed class LeaseSiloOptions
{
    /// <summary>How soon the other silos activate the grains of a dead silo, once it was declared dead.</summary>
    internal static readonly TimeSpan MoveTime = TimeSpan.FromSeconds(5);

    /// <summary>The bounds of requests.</summary>
    /// <value>The defaults of <see cref="LeaseLimits"/>; a wait is 45 s at most, since no grain call outlives a minute.</value>
    public LeaseLimits Limits { get; set; } = new();

    /// <summary>
    /// How many times to live one stored renewal covers: 1 stores every renewal; a larger factor keeps most in memory, and in return frees
    /// a lease that was abandoned before a silo went down later, by (factor - 1) x ttl, at most 30 s.
    /// </summary>
    /// <value>2 by default; 1 to 100.</value>
    public int RenewalFactor { get; set; } = 2;

    /// <summary>
    /// How far apart the clocks of two silos may be. A silo whose clock differs from the database's by half of it does not start, or
    /// stops claiming leases, and stops if that lasts.
    /// </summary>
    /// <value>1 s by default; 100 ms to 1 h.</value>
    public TimeSpan ClockSkew { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How records get to PostgreSQL, where leases are kept there. Silos of either kind share the same tables, so it may change from one
    /// silo to the next.
    /// </summary>
    /// <value><see cref="PostgresStorage.GroupCommit"/> by default.</value>
    public PostgresStorage Storage { get; set; } = PostgresStorage.GroupCommit;

    /// <summary>How long one read or write of the store may take before its outcome counts as unknown.</summary>
    /// <value>5 s by default; 100 ms to 15 s.</value>
    public TimeSpan StorageTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long the cluster takes to notice that a silo is gone and to move its leases; published as part of the grace.</summary>
    /// <value>
    /// Null by default: what <see cref="ClusterMembershipOptions"/> come to, (<c>NumMissedProbesLimit</c> + 2) x <c>MaxProbeTimeout</c>,
    /// and 5 s for the move. That is 105 s with Orleans' defaults. 0 to 10 min.
    /// </value>
    public TimeSpan? FailoverTime { get; set; }

    /// <summary>
    /// How long a name is kept that is free, unbound and unwatched: then its record is dropped, with its history and its request ids. The
    /// tokens and versions of a name that comes back go on growing all the same. A repeat of a request is recognised for that long at
    /// least.
    /// </summary>
    /// <value>30 days by default; 1 min to 3,650 days, or 0 for ever.</value>
    public TimeSpan Retain { get; set; } = Retention.Default;

    /// <summary>
    /// <see cref="Retain"/> for the names of resources and keys that start with a prefix; of several the longest counts.
    /// </summary>
    /// <value>None by default.</value>
    public IDictionary<string, TimeSpan> RetainByPrefix { get; } = new Dictionary<string, TimeSpan>();

    /// <summary>
    /// The number of shards in which leases without an activation are swept; each is one query every 5 s, on one of the silos.
    /// </summary>
    /// <value>16 by default; 1 to 1,024.</value>
    public int SweeperShards { get; set; } = 16;

    /// <summary>
    /// A silo is voted dead when a probe fails after nothing was heard of it for as long as the limit of missed probes takes,
    /// each at its longest; a probe may just have begun by then, and the one after it asks through another silo.
    /// </summary>
    internal TimeSpan FailoverTimeOf(ClusterMembershipOptions membership) =>
        FailoverTime ?? ((membership.NumMissedProbesLimit + 2) * membership.MaxProbeTimeout) + MoveTime;

    internal Retention Retention => new(Retain, new Dictionary<string, TimeSpan>(RetainByPrefix));

    internal void Validate()
    {
        Kept(nameof(Retain), Retain);
        foreach (var (prefix, retain) in RetainByPrefix) Kept($"{nameof(RetainByPrefix)}[{prefix}]", retain);
        Within(nameof(RenewalFactor), RenewalFactor, 1, 100);
        Within(nameof(ClockSkew), ClockSkew, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(1));
        if (!Enum.IsDefined(Storage))
        {
            throw new OrleansConfigurationException(
                $"{nameof(LeaseSiloOptions)}.{nameof(Storage)} is {Storage}; it takes "
                + $"{string.Join(" or ", Enum.GetNames<PostgresStorage>())}.");
        }

        Within(nameof(StorageTimeout), StorageTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(15));
        if (FailoverTime is { } failover) Within(nameof(FailoverTime), failover, TimeSpan.Zero, TimeSpan.FromMinutes(10));
        Within(nameof(SweeperShards), SweeperShards, 1, 1024);
        Within("Limits.MinTtl", Limits.MinTtl, TimeSpan.FromMilliseconds(1), Limits.MaxTtl);
        Within("Limits.MaxTtl", Limits.MaxTtl, Limits.MinTtl, TimeSpan.FromDays(365));
        Within("Limits.MaxWait", Limits.MaxWait, TimeSpan.Zero, TimeSpan.FromSeconds(45));
        Within("Limits.MaxHolders", Limits.MaxHolders, 1, 100_000);
        Within("Limits.MaxWaiters", Limits.MaxWaiters, 0, 1_000_000);
        Within("Limits.MaxBatch", Limits.MaxBatch, 1, 100_000);
        Within("Limits.MaxKeys", Limits.MaxKeys, 0, 100_000);
    }

    private static void Kept(string name, TimeSpan retain)
    {
        if (Retention.FlawOf(retain) is { } flaw) throw new OrleansConfigurationException($"{nameof(LeaseSiloOptions)}.{name} is {flaw}.");
    }

    private static void Within<T>(string name, T value, T least, T most)
        where T : IComparable<T>
    {
        if (value.CompareTo(least) >= 0 && value.CompareTo(most) <= 0) return;
        throw new OrleansConfigurationException($"{nameof(LeaseSiloOptions)}.{name} is {value}; it takes {least} to {most}.");
    }
}
