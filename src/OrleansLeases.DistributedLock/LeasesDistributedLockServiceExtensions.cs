using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OrleansLeases.Client;

namespace OrleansLeases.DistributedLocks;

/// <summary>Adds locks of Medallion.Threading that are leases to the services of an application.</summary>
public static class LeasesDistributedLockServiceExtensions
{
    /// <summary>
    /// Adds a <see cref="LeaseDistributedSynchronizationProvider"/> over the <see cref="LeaseClient"/> among the services, as
    /// <c>AddLeasesClient</c> or a silo's <c>AddLeases</c> adds it; and, by it, the providers of Medallion.Threading.
    /// </summary>
    /// <param name="services">The services.</param>
    /// <param name="options">What the locks are made of; leases of 30 s where left out.</param>
    /// <returns>The same services.</returns>
    /// <remarks>
    /// Called again it changes nothing, and a provider of Medallion.Threading that the services have from elsewhere stays. Of another
    /// client than the one without a key: <c>services.AddSingleton&lt;IDistributedLockProvider&gt;(…)</c> with a provider of its own.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> is null.</exception>
    public static IServiceCollection AddLeasesDistributedLocks(
        this IServiceCollection services, LeaseDistributedSynchronizationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.TryAddSingleton(provider =>
            new LeaseDistributedSynchronizationProvider(provider.GetRequiredService<LeaseClient>(), options));
        services.TryAddSingleton<IDistributedLockProvider>(Provider);
        services.TryAddSingleton<IDistributedReaderWriterLockProvider>(Provider);
        services.TryAddSingleton<IDistributedUpgradeableReaderWriterLockProvider>(Provider);
        services.TryAddSingleton<IDistributedSemaphoreProvider>(Provider);
        return services;
    }

    private static LeaseDistributedSynchronizationProvider Provider(IServiceProvider provider) =>
        provider.GetRequiredService<LeaseDistributedSynchronizationProvider>();
}
