using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace OrleansLeases.Gateway;

/// <summary>Maps the HTTP endpoints of the lease service over any <see cref="ILeaseService"/>.</summary>
public static class LeaseGatewayExtensions
{
    /// <summary>
    /// Adds the services of the endpoints. The host adds the <see cref="ILeaseService"/> itself, as a singleton. Nothing else of the
    /// host is changed.
    /// </summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options, or null to leave them as they are.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection AddLeaseGateway(this IServiceCollection services, Action<LeaseGatewayOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddRouting();
        services.TryAddSingleton<LeaseRoutes>();
        if (configure is not null) services.Configure(configure);
        return services;
    }

    /// <summary>
    /// Maps leases, keys, watch and info, all below <c>/v1</c>, and, where the host has an <see cref="IServiceRecords"/>, the public keys
    /// of proofs at <c>/.well-known/jwks.json</c>, into an application that has endpoints of its own. Below a prefix, and with conventions
    /// such as <c>RequireAuthorization</c>, by a group: <c>app.MapGroup("/leases").MapLeases()</c>; clients, and those who check proofs,
    /// then have the prefix in their address. The host's request timeout and output cache do not apply to these endpoints, and the public
    /// keys take no login. Where the application has <c>/.well-known/jwks.json</c> itself, that one stays: map leases below a prefix then.
    /// </summary>
    /// <param name="endpoints">The endpoints of the host, with <see cref="AddLeaseGateway"/> called on its services.</param>
    /// <returns>The same endpoints.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="endpoints"/> is null.</exception>
    /// <exception cref="InvalidOperationException">
    /// The host has no <see cref="ILeaseService"/>, or <see cref="AddLeaseGateway"/> was not called.
    /// </exception>
    /// <exception cref="ArgumentException">A host or origin in <see cref="LeaseGatewayOptions"/> is malformed.</exception>
    public static IEndpointRouteBuilder MapLeases(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        RoutesOf(endpoints).MapCalls(endpoints);
        return endpoints;
    }

    /// <summary>
    /// Maps the endpoints of a server that serves leases alone: those of <see cref="MapLeases"/>, <c>/health/live</c>,
    /// <c>/health/ready</c>, <c>/openapi/v1.json</c> and the dashboard at <c>/</c>; and a problem for every other path below the group's
    /// prefix.
    /// </summary>
    /// <param name="endpoints">The endpoints of the host, with <see cref="AddLeaseGateway"/> called on its services.</param>
    /// <returns>The same endpoints.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="endpoints"/> is null.</exception>
    /// <exception cref="InvalidOperationException">
    /// The host has no <see cref="ILeaseService"/>, or <see cref="AddLeaseGateway"/> was not called.
    /// </exception>
    /// <exception cref="ArgumentException">A host or origin in <see cref="LeaseGatewayOptions"/> is malformed.</exception>
    public static IEndpointRouteBuilder MapLeaseServer(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        RoutesOf(endpoints).MapAll(endpoints);
        return endpoints;
    }

    /// <summary>
    /// Maps the dashboard at the group's prefix, beside <see cref="MapLeases"/> at the same prefix, which it calls:
    /// <c>app.MapGroup("/leases").MapLeases().MapLeaseDashboard()</c>. The page itself takes no credential of
    /// <see cref="LeaseGatewayOptions.Authenticate"/>; what it shows is what its reader may read. <see cref="MapLeaseServer"/> has it
    /// already.
    /// </summary>
    /// <param name="endpoints">The endpoints of the host, with <see cref="AddLeaseGateway"/> called on its services.</param>
    /// <returns>The same endpoints.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="endpoints"/> is null.</exception>
    /// <exception cref="InvalidOperationException">
    /// The host has no <see cref="ILeaseService"/>, or <see cref="AddLeaseGateway"/> was not called.
    /// </exception>
    /// <exception cref="ArgumentException">A host or origin in <see cref="LeaseGatewayOptions"/> is malformed.</exception>
    public static IEndpointRouteBuilder MapLeaseDashboard(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        RoutesOf(endpoints).MapDashboard(endpoints);
        return endpoints;
    }

    private static LeaseRoutes RoutesOf(IEndpointRouteBuilder endpoints) => endpoints.ServiceProvider.GetService<LeaseRoutes>()
        ?? throw new InvalidOperationException($"The host has no gateway. Call {nameof(AddLeaseGateway)} on its services.");
}
