using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>The bounds of a service. A bound that is hit is a typed refusal. Immutable.</summary>
public sealed record LeaseLimits
{
    /// <summary>The shortest time to live.</summary>
    /// <value>100 ms by default; at least 1 ms.</value>
    [JsonPropertyName("minTtlMs")]
    public TimeSpan MinTtl { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest time to live, lock-delay, hold-at-least and break notice.</summary>
    /// <value>24 h by default; at most 365 days.</value>
    [JsonPropertyName("maxTtlMs")]
    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromHours(24);

    /// <summary>The longest wait of one call.</summary>
    /// <value>25 s by default; 0 to 1 h, on Orleans to 45 s.</value>
    [JsonPropertyName("maxWaitMs")]
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromSeconds(25);

    /// <summary>The most holders of one resource; also the largest capacity.</summary>
    /// <value>1,000 by default. Every grant rewrites the record that lists them.</value>
    public int MaxHolders { get; init; } = 1_000;

    /// <summary>The most waiters in the queue of one resource.</summary>
    /// <value>1,000 by default.</value>
    public int MaxWaiters { get; init; } = 1_000;

    /// <summary>The most leases of one batch of renewals, and the most operations of one batch.</summary>
    /// <value>1,000 by default. Over HTTP a batch of operations has 1,000 at most.</value>
    public int MaxBatch { get; init; } = 1_000;

    /// <summary>
    /// The most keys bound to one lease. All leases of a resource, including ended ones that are still being cleaned up, have ten times as
    /// many at most.
    /// </summary>
    /// <value>1,000 by default. The record of the lease lists their names.</value>
    public int MaxKeys { get; init; } = 1_000;
}
