namespace OrleansLeases.Core;

/// <summary>What a host lends to its keepers. Shared by all of them; thread-safe.</summary>
/// <param name="Store">Where records are kept.</param>
/// <param name="Clock">The host's one clock.</param>
/// <param name="Rules">The host's rules.</param>
/// <param name="Alarm">What wakes keepers.</param>
public sealed record KeeperHost(ILeaseStore Store, LeaseClock Clock, LeaseRules Rules, IKeeperAlarm Alarm)
{
    /// <summary>Names the claims of these keepers. Shared by all keepers of one run of a process, whatever their store.</summary>
    public ClaimSequence Claims { get; init; } = new();

    /// <summary>How long a keeper that has nothing to do stays in memory; null for as long as the host lives.</summary>
    public TimeSpan? IdleAfter { get; init; }

    internal Claim NextClaim() => new(Rules.Incarnation, Claims.Next());
}

/// <summary>Numbers the loads of one run of a process: each gets a name of its own, so that a write whose outcome was unknown can never pass for a later claim. Thread-safe.</summary>
public sealed class ClaimSequence
{
    private long _last;

    internal long Next() => Interlocked.Increment(ref _last);
}

/// <summary>Wakes keepers. An alarm only makes things happen sooner; nothing is wrong without it.</summary>
public interface IKeeperAlarm
{
    /// <summary>
    /// Calls <see cref="LeaseKeeper.Ring"/> once, at or soon after a moment, and then <see cref="LeaseKeeper.Wake"/>
    /// unless it has retired. Several alarms of one keeper may stand.
    /// </summary>
    /// <param name="keeper">Whom to wake.</param>
    /// <param name="at">Monotonic time of the host's clock.</param>
    void Set(LeaseKeeper keeper, TimeSpan at);
}
