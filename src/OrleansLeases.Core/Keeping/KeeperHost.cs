using System.Diagnostics;

namespace OrleansLeases.Core;

/// <summary>What a host lends to its keepers. Shared by all of them; thread-safe.</summary>
/// <param name="Clock">The host's one clock.</param>
/// <param name="Rules">The host's rules.</param>
/// <param name="Alarm">What wakes keepers.</param>
internal sealed record KeeperHost(LeaseClock Clock, LeaseRules Rules, IKeeperAlarm Alarm)
{
    /// <summary>Names the claims of these keepers. Shared by all keepers of one run of a process, whatever their store.</summary>
    public ActivationSequence Activations { get; init; } = new();

    /// <summary>Who watches names by their prefix; null where nobody can.</summary>
    public PrefixWatchers? Prefixes { get; init; }

    /// <summary>How long a keeper that has nothing to do stays in memory; null for as long as the host lives.</summary>
    public TimeSpan? IdleAfter { get; init; }

    /// <summary>Cleans up the keys of ended leases; null where leases have no keys.</summary>
    public IKeyCleaner? Cleaner { get; init; }

    /// <summary>
    /// Whether nobody but the keepers of this host writes to its stores, one keeper for each name: then what a keeper
    /// knows is what is stored, and need not be compared with it.
    /// </summary>
    public bool IsSingleWriter { get; init; }

    /// <summary>
    /// Where a keeper may go on that is started there. All others leave the synchronization context and the task scheduler of
    /// their callers where they wait, and go on by the thread pool: a caller's own may be blocked, and other callers wait for the
    /// keeper. Null where every keeper goes on where it is started, as in a grain.
    /// </summary>
    public TaskScheduler? Background { get; init; }

    /// <summary>
    /// Logs what could not be done, and why, and says under which id; null where nothing is logged. A caller gets the id and
    /// nothing of the exception. The keeper waits for it, so it returns at once.
    /// </summary>
    public Func<string, Exception, string>? Failed { get; init; }

    /// <summary>Counts what the keepers do; null where nobody can ask.</summary>
    public KeeperMetrics? Metrics { get; init; }

    /// <summary>Logs what became of leases; null where nothing is logged.</summary>
    public IServiceLog? Log { get; init; }

    /// <summary>
    /// Finds the span that a call has come with from another process, where none is current; null where all come from this one.
    /// </summary>
    public Func<ActivityContext>? Carried { get; init; }

    internal ActivationId NextActivation() => new(Rules.Incarnation, Activations.Next());
}

/// <summary>
/// Numbers the loads of one run of a process: each gets a name of its own, so that a write whose outcome was unknown can never
/// pass for a later claim. Thread-safe.
/// </summary>
internal sealed class ActivationSequence
{
    private long _last;

    internal long Next() => Interlocked.Increment(ref _last);
}

/// <summary>Wakes keepers. An alarm only makes things happen sooner; nothing is wrong without it.</summary>
internal interface IKeeperAlarm
{
    /// <summary>
    /// Calls <see cref="Keeper.OnAlarm"/> once, at or soon after a moment, and then <see cref="Keeper.Wake"/>
    /// unless it has retired. Several alarms of one keeper may stand.
    /// </summary>
    /// <param name="keeper">The keeper to wake.</param>
    /// <param name="at">Monotonic time of the host's clock.</param>
    void Set(Keeper keeper, TimeSpan at);
}

/// <summary>Cleans up the keys of ended leases, in the background.</summary>
internal interface IKeyCleaner
{
    /// <summary>
    /// Starts a clean-up and returns at once, since the lease's keeper waits for it. It may be called again for one that is under way.
    /// The implementation sends <see cref="KeyCommand.Clean"/> to every key until it responds, and then
    /// <see cref="LeaseCommand.CleanUpDone"/> to the lease until it responds: otherwise the clean-up starts again after a restart.
    /// </summary>
    /// <param name="resource">The lease's resource.</param>
    /// <param name="ended">Which lease, and its keys.</param>
    void CleanUp(string resource, PendingCleanUp ended);
}
