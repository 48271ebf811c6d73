using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Keys;
using OrleansLeases.Gateway.Leases;
using OrleansLeases.Gateway.OpenApi;
using OrleansLeases.Gateway.Service;
using OrleansLeases.Gateway.Watching;

namespace OrleansLeases.Gateway;

/// <summary>Puts a lease service on the web: the endpoints of the wire contract over any <see cref="ILeaseService"/>.</summary>
public static class LeaseGatewayExtensions
{
    /// <summary>Adds what the endpoints need besides an <see cref="ILeaseService"/>, which the host adds itself, as a singleton.</summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="configure">Sets the options, or null to leave them as they are.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection AddLeaseGateway(this IServiceCollection services, Action<LeaseGatewayOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddRouting();
        if (configure is not null) services.Configure(configure);
        return services.AddLeaseOpenApi();
    }

    /// <summary>
    /// Maps leases, keys, watch, health, info and the OpenAPI document. Answers a path that nothing else in the host takes with a problem.
    /// </summary>
    /// <param name="endpoints">The endpoints of the host, with <see cref="AddLeaseGateway"/> called on its services.</param>
    /// <returns>The same endpoints.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="endpoints"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The host has no <see cref="ILeaseService"/>.</exception>
    /// <exception cref="ArgumentException">A name or origin in <see cref="LeaseGatewayOptions"/> is none.</exception>
    public static IEndpointRouteBuilder MapLeases(this IEndpointRouteBuilder endpoints)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var provider = endpoints.ServiceProvider;
        var leases = provider.GetRequiredService<ILeaseService>();
        var loggers = provider.GetRequiredService<ILoggerFactory>();
        var stopping = provider.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var memory = new MemoryWatch();
        var calls = new ServiceCalls(loggers.CreateLogger<ServiceCalls>(), memory, stopping);
        var callers = new CallerCheck(provider.GetRequiredService<IOptions<LeaseGatewayOptions>>().Value, provider.GetService<IServer>());
        var entrance = new Entrance(callers, memory, loggers.CreateLogger<Entrance>()).Before(endpoints);

        LeaseEndpoints.Map(
            entrance, new LeaseChanges(leases, calls, loggers.CreateLogger<LeaseChanges>()), new LeaseReads(leases, calls));
        KeyEndpoints.Map(entrance, new KeyHandlers(leases, calls));
        WatchEndpoint.Map(entrance, new WatchEndpoint(leases, calls, provider.GetService<TimeProvider>() ?? TimeProvider.System));
        ServiceEndpoints.Map(entrance, new ServiceReads(leases, calls));
        UnknownPath.Map(entrance);
        return endpoints;
    }
}
