namespace OrleansLeases.Client.Holding;

/// <summary>
/// Time as a holder must count it. Where monotonic time counts sleep, that alone: a step of the wall clock is no progress of
/// time. Elsewhere, of monotonic and wall time, whichever went further since the last reading: the one may stand still while
/// the machine sleeps, the other may be put back; only both within one reading would go unnoticed. Thread-safe.
/// </summary>
internal sealed class HolderClock
{
    private const int MaxAttempts = 5;

    // A reading rounds down to a tick. Rare enough, that does not add up.
    private static readonly TimeSpan ShortestStep = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly bool _countsSleep;
    private volatile Reading _last;

    /// <param name="time">Both times.</param>
    /// <param name="countsSleep">Its monotonic time goes on while the machine sleeps; then the wall clock is not looked at.</param>
    public HolderClock(TimeProvider time, bool countsSleep = false)
    {
        _time = time;
        _countsSleep = countsSleep;
        var (stamp, wall) = ReadBoth();
        _last = new(stamp, wall, TimeSpan.Zero);
    }

    /// <summary>Counts time by a clock, or by a better one where the system has it.</summary>
    public static HolderClock Of(TimeProvider time) =>
        time == TimeProvider.System && BootTime.Instance is { } bootTime ? new(bootTime, countsSleep: true) : new(time);

    /// <summary>Counts on from the last reading, without a lock and without allocating.</summary>
    public TimeSpan Now()
    {
        var last = _last;
        var stamp = _time.GetTimestamp();
        return last.Progress + Since(last, stamp, Wall());
    }

    /// <summary>Takes a reading. The alarm that watches deadlines takes one every few milliseconds.</summary>
    public TimeSpan Sample()
    {
        lock (_gate)
        {
            var last = _last;
            var (stamp, wall) = ReadBoth();
            var since = Since(last, stamp, wall);
            if (since < ShortestStep) return last.Progress + since;
            _last = new(stamp, wall, last.Progress + since);
            return last.Progress + since;
        }
    }

    // A pause between the two would be counted by the one in this reading, and by the other again in the next.
    private (long Stamp, long Wall) ReadBoth()
    {
        for (var attempt = 1; ; attempt++)
        {
            var (stamp, wall) = (_time.GetTimestamp(), Wall());
            if (attempt == MaxAttempts || _time.GetElapsedTime(stamp) < ShortestStep) return (stamp, wall);
        }
    }

    // Looking at a clock is nearly all that a reading costs.
    private long Wall() => _countsSleep ? 0 : _time.GetUtcNow().UtcTicks;

    private TimeSpan Since(Reading last, long stamp, long wall)
    {
        var monotonic = _time.GetElapsedTime(last.Stamp, stamp).Ticks;
        return new(Math.Max(monotonic, wall - last.Wall));
    }

    private sealed record Reading(long Stamp, long Wall, TimeSpan Progress);
}
