using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OrleansLeases.Gateway.Service;

namespace OrleansLeases.Gateway;

/// <summary>Has an application's own health endpoint say how the gateway is.</summary>
public static class LeaseGatewayHealthExtensions
{
    /// <summary>
    /// Adds a check of the gateway: healthy while the service takes calls; otherwise the description has the reason and the remedy, as
    /// <c>/health/ready</c> has them.
    /// </summary>
    /// <param name="builder">The health checks of the host.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">What it is where it is not healthy; <see cref="HealthStatus.Unhealthy"/> where left out.</param>
    /// <param name="tags">Its tags; none where left out.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is null.</exception>
    public static IHealthChecksBuilder AddLeaseGateway(
        this IHealthChecksBuilder builder, string name = "leases-gateway", HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.Add(new(
            name, ActivatorUtilities.GetServiceOrCreateInstance<GatewayHealthCheck>, failureStatus, tags));
    }
}
