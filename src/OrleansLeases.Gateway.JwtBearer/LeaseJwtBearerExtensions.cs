using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Access;
using OrleansLeases.Gateway.JwtBearer;

namespace OrleansLeases.Gateway;

/// <summary>Adds JWTs to the credentials that the endpoints of the lease service take.</summary>
public static class LeaseJwtBearerExtensions
{
    /// <summary>
    /// Takes JWTs besides API keys, as the section <c>jwt</c> of the access file says; without one there it takes none. It goes with
    /// <see cref="LeaseAccessExtensions.AddLeaseAccess"/>, in either order. The authentication of the host and its schemes stay as they
    /// are.
    /// </summary>
    /// <param name="services">The services of the host.</param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection AddLeaseJwtBearer(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IJwtVerifiers>(provider => new JwtVerifiers(
            provider.GetRequiredService<ILoggerFactory>(), provider.GetRequiredService<TimeProvider>()));
        return services;
    }
}
