namespace OpenTelemetry.Trace;

/// <summary>Collects the traces of leases.</summary>
public static class LeasesTracerProviderBuilderExtensions
{
    /// <summary>
    /// Collects the spans of clients, services and fences of leases in this process: the source <c>OrleansLeases</c>. With the
    /// instrumentation of <c>HttpClient</c> and ASP.NET Core a call over HTTP is one trace without gaps.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static TracerProviderBuilder AddLeasesInstrumentation(this TracerProviderBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddSource("OrleansLeases");
    }
}
