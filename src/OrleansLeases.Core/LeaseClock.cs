using System.Runtime.CompilerServices;

namespace OrleansLeases.Core;

/// <summary>One reading of a host's clock. Suspend and clock steps make its three answers differ.</summary>
/// <param name="Monotonic">Monotonic time since the clock was made. It may stand still while the machine is suspended.</param>
/// <param name="Earliest">
/// The earlier of wall clock and monotonic progress, since the Unix epoch: what has surely passed. Inherited times are waited out by it.
/// </param>
/// <param name="Latest">
/// The later of the two: what may have passed. Promises are made, replayed and compared with a horizon by it.
/// </param>
internal readonly record struct Instant(TimeSpan Monotonic, TimeSpan Earliest, TimeSpan Latest);

/// <summary>Reads the one clock of a host. Thread-safe.</summary>
internal sealed class LeaseClock
{
    private readonly TimeProvider _time;
    private readonly long _startStamp;
    private volatile StrongBox<ClockReading> _anchor;

    /// <summary>Starts at this moment.</summary>
    /// <param name="time">Where time comes from.</param>
    public LeaseClock(TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _time = time;
        _startStamp = time.GetTimestamp();
        _anchor = new(ReadRaw());
    }

    /// <summary>Reads monotonic and wall time together.</summary>
    /// <returns>The reading.</returns>
    public Instant Read()
    {
        var (monotonic, wall) = ReadRaw();
        var anchor = _anchor.Value;
        var progressed = anchor.Wall + (monotonic - anchor.Monotonic);
        return wall < progressed ? new(monotonic, wall, progressed) : new(monotonic, progressed, wall);
    }

    /// <summary>How far the wall clock has been set forward since it was last confirmed; negative where it was set back.</summary>
    public TimeSpan Stepped
    {
        get
        {
            var (monotonic, wall) = ReadRaw();
            var anchor = _anchor.Value;
            return wall - (anchor.Wall + (monotonic - anchor.Monotonic));
        }
    }

    /// <summary>Reads both clocks as they are, for someone to compare with a clock that is trusted.</summary>
    /// <returns>The reading.</returns>
    public ClockReading ReadRaw() => new(_time.GetElapsedTime(_startStamp), _time.GetUtcNow() - DateTimeOffset.UnixEpoch);

    /// <summary>
    /// Counts monotonic progress from a reading whose wall time a trusted clock has confirmed, within the allowed skew:
    /// so that a suspend, which stops the monotonic clock, does not hold times back for the rest of the process.
    /// </summary>
    /// <param name="confirmed">The reading.</param>
    public void Calibrate(ClockReading confirmed) => _anchor = new(confirmed);
}

/// <summary>Two clocks at one moment.</summary>
/// <param name="Monotonic">Monotonic time since the clock was made.</param>
/// <param name="Wall">Wall time since the Unix epoch.</param>
internal readonly record struct ClockReading(TimeSpan Monotonic, TimeSpan Wall);
