using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>The bounds of a service. A bound that is hit is a typed refusal. Immutable.</summary>
public sealed record LeaseLimits
{
    /// <summary>The shortest time to live.</summary>
    /// <value>100 ms by default; at least 1 ms.</value>
    [JsonPropertyName("minTtlMs")]
    public TimeSpan MinTtl { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest time to live, lock-delay and break notice.</summary>
    /// <value>24 h by default; at most 365 days.</value>
    [JsonPropertyName("maxTtlMs")]
    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The longest wait of one call.</summary>
    /// <value>25 s by default.</value>
    [JsonPropertyName("maxWaitMs")]
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>How many may hold one resource at once; also the largest capacity.</summary>
    /// <value>1,000 by default. Every grant rewrites the record that lists them.</value>
    public int MaxHolders { get; init; } = 1_000;

    /// <summary>How many may wait for one resource at once.</summary>
    /// <value>1,000 by default.</value>
    public int MaxWaiters { get; init; } = 1_000;

    /// <summary>How many leases one batch may renew.</summary>
    /// <value>1,000 by default.</value>
    public int MaxBatch { get; init; } = 1_000;

    /// <summary>
    /// How many keys may be bound to one lease. All leases of a resource, ended ones that are still being cleaned up included, may have
    /// ten times as many.
    /// </summary>
    /// <value>1,000 by default. The record of the lease lists their names.</value>
    public int MaxKeys { get; init; } = 1_000;
}
