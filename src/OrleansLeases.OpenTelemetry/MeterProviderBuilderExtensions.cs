namespace OpenTelemetry.Metrics;

/// <summary>Collects the metrics of leases.</summary>
public static class LeasesMeterProviderBuilderExtensions
{
    /// <summary>
    /// Collects what clients, services and gateways of leases count in this process: the meters <c>OrleansLeases</c>,
    /// <c>OrleansLeases.Client</c> and <c>OrleansLeases.Hosting</c>. <c>docs/telemetry.md</c> lists the instruments.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static MeterProviderBuilder AddLeasesInstrumentation(this MeterProviderBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddMeter("OrleansLeases", "OrleansLeases.Client", "OrleansLeases.Hosting");
    }
}
