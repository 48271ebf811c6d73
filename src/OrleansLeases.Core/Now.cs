namespace OrleansLeases.Core;

/// <summary>One reading of a host's clock. Suspend and clock steps make its three answers differ.</summary>
/// <param name="Mono">Monotonic time since the clock was made. It may stand still while the machine is suspended.</param>
/// <param name="Early">The earlier of wall clock and monotonic progress, since the Unix epoch: what has surely passed. Inherited times are waited out by it.</param>
/// <param name="Late">The later of the two: what may have passed. Promises are made, replayed and compared with a horizon by it.</param>
public readonly record struct Now(TimeSpan Mono, TimeSpan Early, TimeSpan Late);

/// <summary>Reads the one clock of a host. Thread-safe.</summary>
public sealed class LeaseClock
{
    private readonly TimeProvider _time;
    private readonly long _startStamp;
    private readonly TimeSpan _startWall;

    /// <summary>Starts at this moment.</summary>
    /// <param name="time">Where time comes from.</param>
    public LeaseClock(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _startStamp = time.GetTimestamp();
        _startWall = Wall();
    }

    /// <summary>Reads monotonic and wall time together.</summary>
    /// <returns>The reading.</returns>
    public Now Read()
    {
        var mono = _time.GetElapsedTime(_startStamp);
        var wall = Wall();
        var progressed = _startWall + mono;
        return wall < progressed ? new(mono, wall, progressed) : new(mono, progressed, wall);
    }

    private TimeSpan Wall() => _time.GetUtcNow() - DateTimeOffset.UnixEpoch;
}
