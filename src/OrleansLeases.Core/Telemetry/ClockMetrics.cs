using System.Diagnostics.Metrics;

namespace OrleansLeases.Core;

/// <summary>Shows how far the wall clock of this process is from what it is compared with.</summary>
internal static class ClockMetrics
{
    /// <param name="meter">The meter.</param>
    /// <param name="clock">The clock of the leases.</param>
    /// <param name="database">How far it is ahead of the database's; null where that is not known, or nothing is compared.</param>
    public static void Observe(Meter meter, LeaseClock clock, Func<TimeSpan?>? database = null) => meter.CreateObservableGauge(
        "leases.clock.offset",
        () => Look(clock, database),
        "s",
        "How far the wall clock is ahead of the database's, and of the monotonic clock since the service started.");

    private static IEnumerable<Measurement<double>> Look(LeaseClock clock, Func<TimeSpan?>? database)
    {
        yield return new(clock.Stepped.TotalSeconds, Tags.Of(Tags.ClockReference, "monotonic"));
        if (database?.Invoke() is { } offset) yield return new(offset.TotalSeconds, Tags.Of(Tags.ClockReference, "database"));
    }
}
