using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace OrleansLeases.Grains;

/// <summary>Has an application's own health endpoint say how the store of its silo's leases is.</summary>
public static class LeaseSiloHealthExtensions
{
    /// <summary>
    /// Adds a check of the store of the leases in a silo: whether the database answers and takes writes, and whether clock and restore
    /// epoch are right. Where they are not, the description has the reason and the remedy.
    /// </summary>
    /// <param name="builder">The health checks of the host, whose silo has leases.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">What it is where it is not healthy; <see cref="HealthStatus.Unhealthy"/> where left out.</param>
    /// <param name="tags">Its tags; none where left out.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static IHealthChecksBuilder AddLeaseStore(
        this IHealthChecksBuilder builder, string name = "leases-store", HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new(name, ActivatorUtilities.GetServiceOrCreateInstance<StoreHealthCheck>, failureStatus, tags));
    }
}
