using System.Diagnostics.Metrics;

namespace OrleansLeases.Grains;

/// <summary>The meter of a silo or of a client of a cluster: the host's, so that two hosts in one process count apart.</summary>
/// <param name="services">The services of the host.</param>
internal sealed class ServiceMeter(IServiceProvider services) : IDisposable
{
    public Meter Meter { get; } = LeaseMeter.Create((IMeterFactory?)services.GetService(typeof(IMeterFactory)));

    public void Dispose() => Meter.Dispose();
}
