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
    private volatile ClockReading _anchor;

    /// <summary>Starts at this moment.</summary>
    /// <param name="time">Where time comes from.</param>
    public LeaseClock(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _startStamp = time.GetTimestamp();
        _anchor = Look();
    }

    /// <summary>Reads monotonic and wall time together.</summary>
    /// <returns>The reading.</returns>
    public Now Read()
    {
        var (mono, wall) = Look();
        var anchor = _anchor;
        var progressed = anchor.Wall + (mono - anchor.Mono);
        return wall < progressed ? new(mono, wall, progressed) : new(mono, progressed, wall);
    }

    /// <summary>Reads both clocks as they are, for someone to compare with a clock that is trusted.</summary>
    /// <returns>The reading.</returns>
    public ClockReading Look() => new(_time.GetElapsedTime(_startStamp), _time.GetUtcNow() - DateTimeOffset.UnixEpoch);

    /// <summary>
    /// Counts monotonic progress from a reading whose wall time a trusted clock has confirmed, within the allowed skew:
    /// so that a suspend, which stops the monotonic clock, does not hold times back for the rest of the process.
    /// </summary>
    /// <param name="confirmed">The reading.</param>
    public void Confirm(ClockReading confirmed) => _anchor = confirmed;
}

/// <summary>Two clocks at one moment.</summary>
/// <param name="Mono">Monotonic time since the clock was made.</param>
/// <param name="Wall">Wall time since the Unix epoch.</param>
public sealed record ClockReading(TimeSpan Mono, TimeSpan Wall);
