using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace OrleansLeases.Gateway;

/// <summary>Puts a lease service on the web: the endpoints of the wire contract over any <see cref="ILeaseService"/>.</summary>
public static class LeaseGatewayExtensions
{
    /// <summary>
    /// Adds what the endpoints need besides an <see cref="ILeaseService"/>, which the host adds itself, as a singleton. It changes
    /// nothing else of the host's.
    /// </summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options, or null to leave them as they are.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection AddLeaseGateway(this IServiceCollection services, Action<LeaseGatewayOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddRouting();
        if (configure is not null) services.Configure(configure);
        return services;
    }

    /// <summary>
    /// Maps leases, keys, watch and info, all below <c>/v1</c>, into an application that has endpoints of its own. Below a prefix, and with
    /// conventions such as <c>RequireAuthorization</c>, by a group: <c>app.MapGroup("/leases").MapLeases()</c>; clients then have the
    /// prefix in their address. A request timeout of the host's does not cut these calls, and its output cache keeps none.
    /// </summary>
    /// <param name="endpoints">The endpoints of the host, with <see cref="AddLeaseGateway"/> called on its services.</param>
    /// <returns>The same endpoints.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="endpoints"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The host has no <see cref="ILeaseService"/>.</exception>
    /// <exception cref="ArgumentException">A name or origin in <see cref="LeaseGatewayOptions"/> is none.</exception>
    public static IEndpointRouteBuilder MapLeases(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        new LeaseRoutes(endpoints.ServiceProvider).MapCalls(endpoints);
        return endpoints;
    }

    /// <summary>
    /// Maps all that a server of leases alone answers: what <see cref="MapLeases"/> does, <c>/health/live</c>, <c>/health/ready</c> and
    /// <c>/openapi/v1.json</c>; and answers every path that nothing else in the host takes, below the group's prefix, with a problem.
    /// </summary>
    /// <param name="endpoints">The endpoints of the host, with <see cref="AddLeaseGateway"/> called on its services.</param>
    /// <returns>The same endpoints.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="endpoints"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The host has no <see cref="ILeaseService"/>.</exception>
    /// <exception cref="ArgumentException">A name or origin in <see cref="LeaseGatewayOptions"/> is none.</exception>
    public static IEndpointRouteBuilder MapLeaseServer(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        new LeaseRoutes(endpoints.ServiceProvider).MapAll(endpoints);
        return endpoints;
    }
}
