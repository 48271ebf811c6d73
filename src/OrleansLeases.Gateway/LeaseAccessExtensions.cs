using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Access;

namespace OrleansLeases.Gateway;

/// <summary>Adds credentials and rights to the endpoints of the lease service.</summary>
public static class LeaseAccessExtensions
{
    /// <summary>
    /// Wants a credential of every caller, and gives it the rights that a file says. Call it after
    /// <see cref="LeaseGatewayExtensions.AddLeaseGateway"/>; the host adds the <see cref="IServiceRecords"/> of its service, where the keys
    /// are kept. Without one, only those in the file are valid.
    /// </summary>
    /// <param name="services">The services of the host.</param>
    /// <param name="file">
    /// The access file, JSON with comments, read again when it changes. One that is wrong keeps the host from starting, and later leaves
    /// the old rules in force.
    /// </param>
    /// <returns>The same services.</returns>
    /// <exception cref="ArgumentException"><paramref name="file"/> is empty.</exception>
    public static IServiceCollection AddLeaseAccess(this IServiceCollection services, string file)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrEmpty(file);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton(provider => new AccessFile(
            file, provider.GetRequiredService<ILogger<AccessFile>>(), provider.GetService<IJwtVerifiers>()));
        services.AddSingleton(provider => new AccessKeys(provider.GetService<IServiceRecords>() is { } records
            ? new ApiKeys(
                records,
                principal => provider.GetRequiredService<AccessFile>().Policy.RightsOf(principal, []),
                provider.GetRequiredService<TimeProvider>(),
                provider.GetRequiredService<ILogger<ApiKeys>>())
            : null));
        services.AddSingleton(provider => new AccessControl(
            provider.GetRequiredService<AccessFile>(),
            provider.GetRequiredService<AccessKeys>().Stored,
            provider.GetRequiredService<TimeProvider>()));
        services.AddHostedService(provider => provider.GetRequiredService<AccessControl>());
        services.AddOptions<LeaseGatewayOptions>().Configure<AccessControl>((gateway, access) =>
            gateway.Authenticate = access.AuthenticateAsync);
        return services;
    }

    /// <summary>The keys that are stored; null where there is no store for them.</summary>
    internal sealed record AccessKeys(ApiKeys? Stored);
}
