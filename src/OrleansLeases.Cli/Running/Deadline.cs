namespace OrleansLeases.Cli.Running;

/// <summary>
/// A moment on the machine's clock that counts sleep, the same in every process. A step of the wall clock does not move it.
/// </summary>
/// <param name="Timestamp">The stamp of <see cref="OrleansLeases.Client.Holding.BootTime"/>.</param>
internal readonly record struct Deadline(long Timestamp)
{
    public static Deadline Now(TimeProvider time) => new(time.GetTimestamp());

    public Deadline Plus(TimeSpan by, TimeProvider time) =>
        new(Timestamp + (long)((Int128)by.Ticks * time.TimestampFrequency / TimeSpan.TicksPerSecond));

    /// <summary>What is left until this moment; negative once it has passed.</summary>
    public TimeSpan Left(TimeProvider time) => time.GetElapsedTime(time.GetTimestamp(), Timestamp);
}
