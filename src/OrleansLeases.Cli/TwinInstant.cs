namespace OrleansLeases.Cli;

/// <summary>
/// A moment on two clocks: the monotonic one, which stands still while the machine sleeps, and the wall, which may
/// be set. Whichever of them has gone further counts, so that neither a suspend nor a clock put back stretches a lease.
/// </summary>
/// <param name="Timestamp">The monotonic stamp; the same clock in every process of the machine.</param>
/// <param name="Wall">The wall clock.</param>
internal sealed record TwinInstant(long Timestamp, DateTimeOffset Wall)
{
    public static TwinInstant Now(TimeProvider time) => new(time.GetTimestamp(), time.GetUtcNow());

    public TwinInstant Plus(TimeSpan by, TimeProvider time) => new(
        Timestamp + (long)((Int128)by.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond),
        Wall + by);

    /// <summary>What is left until this moment: the smaller of what the two clocks say; negative once it has passed.</summary>
    public TimeSpan Left(TimeProvider time)
    {
        var now = Now(time);
        var monotonic = time.GetElapsedTime(now.Timestamp, Timestamp);
        var wall = Wall - now.Wall;
        return monotonic < wall ? monotonic : wall;
    }
}
