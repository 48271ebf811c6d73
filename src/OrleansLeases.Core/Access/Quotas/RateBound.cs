namespace OrleansLeases.Core;

/// <summary>A token bucket: so many in a period, after a burst of as many. Not thread-safe.</summary>
internal struct RateBound(TimeSpan period)
{
    private double _used;
    private TimeSpan _at;

    /// <summary>How long until one more is within the rate; zero where it is now.</summary>
    public TimeSpan WaitFor(int perPeriod, TimeSpan now)
    {
        _used = Math.Max(0, _used - ((now - _at) / period * perPeriod));
        _at = now;
        return _used + 1 <= perPeriod ? TimeSpan.Zero : perPeriod == 0 ? period : (_used + 1 - perPeriod) / perPeriod * period;
    }

    public void Take() => _used++;
}
