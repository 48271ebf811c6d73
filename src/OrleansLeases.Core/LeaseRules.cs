namespace OrleansLeases.Core;

/// <summary>What a host decides about its leases. Immutable.</summary>
internal sealed record LeaseRules
{
    /// <summary>The default of <see cref="LogLength"/>.</summary>
    public const int DefaultLogLength = 544;

    /// <summary>The bits of a token below the restore epoch.</summary>
    public const int CounterBits = 40;

    /// <summary>The highest restore epoch: 13 bits, so that a token stays within the 53 that every language's JSON reads.</summary>
    public const int MaxEpoch = (1 << 13) - 1;

    /// <summary>The most that a horizon lies beyond a deadline, whatever the renewal factor.</summary>
    public static readonly TimeSpan MaxReserve = TimeSpan.FromSeconds(30);

    private static readonly DateTimeOffset TokenOrigin = new(2020, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>The bounds of requests.</summary>
    public LeaseLimits Limits { get; init; } = new();

    /// <summary>How many times to live a stored renewal is good for; 1 makes every renewal durable. 2 by default.</summary>
    public int RenewalFactor { get; init; } = 2;

    /// <summary>How far apart the wall clocks of two incarnations may be. 1 s by default.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How many changes a resource remembers, with their request ids; a multiple of 16.</summary>
    /// <value>544 by default: 256 grants and releases, wherever the oldest block ends. A store may keep no more than that.</value>
    public int LogLength { get; init; } = DefaultLogLength;

    /// <summary>
    /// Every token is greater than this: the epoch in its high bits, or for engines without a disk a count from the clock.
    /// </summary>
    public long TokenFloor { get; init; }

    /// <summary>How long names are kept that are not in use; for ever by default.</summary>
    public Retention Retention { get; init; } = Retention.ForEver;

    /// <summary>Names this run of the host process; no two runs share it.</summary>
    public required string Incarnation { get; init; }

    /// <summary>
    /// How long after its deadline a lease is grantable at the latest, without fail-over time, lock-delay and hold-at-least. The skew
    /// counts twice: a horizon may change hands from one clock to another and back.
    /// </summary>
    public TimeSpan Grace => Reserve(Limits.MaxTtl) + (2 * ClockSkew);

    /// <summary>
    /// The token floor of an engine without a disk: tokens start from the clock, so that those of a later run are most
    /// likely higher. Nothing is promised.
    /// </summary>
    /// <param name="time">The clock.</param>
    /// <returns>Milliseconds since 2020, at most half of what <see cref="CounterBits"/> hold.</returns>
    public static long TokenFloorFromClock(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        return Math.Clamp((long)(time.GetUtcNow() - TokenOrigin).TotalMilliseconds, 0, (1L << CounterBits) / 2);
    }

    /// <summary>The token floor of a restore epoch.</summary>
    /// <param name="epoch">The epoch, 0 to <see cref="MaxEpoch"/>.</param>
    /// <returns>The epoch in a token's high bits.</returns>
    public static long TokenFloorOfEpoch(int epoch) => (long)epoch << CounterBits;

    /// <summary>
    /// How long a record must have been idle by the clock of this host, so that its name was kept for the whole of its time: the clock that
    /// noted since when may have been behind.
    /// </summary>
    /// <param name="name">The name of the record.</param>
    /// <returns>How long; null where it is kept for ever.</returns>
    public TimeSpan? IdleBeforeDrop(string name) => Retention.Of(name) is { Ticks: > 0 } retain ? retain + ClockSkew : null;

    /// <summary>How far beyond the deadline a renewal stores the horizon.</summary>
    /// <param name="ttl">The lease's time to live.</param>
    /// <returns>min((factor - 1) x ttl, 30 s).</returns>
    public TimeSpan Reserve(TimeSpan ttl)
    {
        var reserve = (RenewalFactor - 1) * ttl;
        return reserve < MaxReserve ? reserve : MaxReserve;
    }
}
