namespace OrleansLeases.Bench.Driving;

// The driver's clock: a monotonic time since the start of the run.
internal static class Clock
{
    private static readonly long Origin = TimeProvider.System.GetTimestamp();

    public static TimeSpan Now => TimeProvider.System.GetElapsedTime(Origin);
}
