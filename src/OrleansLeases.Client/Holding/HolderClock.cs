namespace OrleansLeases.Client.Holding;

/// <summary>
/// Time as a holder must count it: of monotonic and wall time, whichever went further since the last reading. The one
/// stands still while the machine sleeps, the other may be put back; only both within one reading would go unnoticed.
/// Thread-safe.
/// </summary>
internal sealed class HolderClock
{
    // A reading rounds down to a tick. Rare enough, that does not add up.
    private static readonly TimeSpan ShortestStep = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private volatile Reading _last;

    public HolderClock(TimeProvider time)
    {
        _time = time;
        _last = new(time.GetTimestamp(), time.GetUtcNow().UtcTicks, TimeSpan.Zero);
    }

    /// <summary>Counts on from the last reading, without a lock and without allocating.</summary>
    public TimeSpan Peek()
    {
        var last = _last;
        return last.Progress + Since(last, _time.GetTimestamp(), _time.GetUtcNow().UtcTicks);
    }

    /// <summary>Takes a reading. Whoever watches deadlines takes one every few milliseconds.</summary>
    public TimeSpan Read()
    {
        lock (_gate)
        {
            var last = _last;
            var (stamp, wall) = (_time.GetTimestamp(), _time.GetUtcNow().UtcTicks);
            var since = Since(last, stamp, wall);
            if (since < ShortestStep) return last.Progress + since;
            _last = new(stamp, wall, last.Progress + since);
            return last.Progress + since;
        }
    }

    private TimeSpan Since(Reading last, long stamp, long wall)
    {
        var monotonic = _time.GetElapsedTime(last.Stamp, stamp).Ticks;
        return new(Math.Max(monotonic, wall - last.Wall));
    }

    private sealed record Reading(long Stamp, long Wall, TimeSpan Progress);
}
