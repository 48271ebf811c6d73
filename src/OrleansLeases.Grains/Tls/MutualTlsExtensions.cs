using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>Mutual TLS between silos, and from clients of a cluster to its silos.</summary>
/// <remarks>
/// All of a cluster have it, or none: a process without a certificate of the authority neither joins nor calls. Settings that cannot be
/// used end the start with an <see cref="OrleansConfigurationException"/> that says what to change.
/// </remarks>
public static class MutualTlsExtensions
{
    /// <summary>Has a silo take and open connections by mutual TLS only, from other silos and from clients.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="configure">Names the files.</param>
    /// <returns>The same silo.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The silo has mutual TLS already.</exception>
    public static ISiloBuilder UseMutualTls(this ISiloBuilder silo, Action<MutualTlsOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(silo);
        Add(silo.Services, configure);
        silo.Services.AddOptions<SiloConnectionOptions>().Configure<ClusterTls>((connections, tls) =>
        {
            connections.ConfigureSiloInboundConnection(connection => connection.UseServerTls(tls.Settings));
            connections.ConfigureGatewayInboundConnection(connection => connection.UseServerTls(tls.Settings));
            connections.ConfigureSiloOutboundConnection(connection => connection.UseClientTls(tls.Settings));
        });
        return silo;
    }

    /// <summary>Has a client of a cluster connect by mutual TLS only.</summary>
    /// <param name="client">The client.</param>
    /// <param name="configure">Names the files.</param>
    /// <returns>The same client.</returns>
    /// <exception cref="ArgumentNullException">An argument is null.</exception>
    /// <exception cref="InvalidOperationException">The client has mutual TLS already.</exception>
    public static IClientBuilder UseMutualTls(this IClientBuilder client, Action<MutualTlsOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(client);
        Add(client.Services, configure);
        client.Services.AddOptions<ClientConnectionOptions>().Configure<ClusterTls>(
            (connections, tls) => connections.ConfigureConnection(connection => connection.UseClientTls(tls.Settings)));
        return client;
    }

    private static void Add(IServiceCollection services, Action<MutualTlsOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        // Twice would be one handshake inside of another.
        if (services.Any(service => service.ServiceType == typeof(ClusterTls)))
            throw new InvalidOperationException("This process has mutual TLS already; call UseMutualTls once.");
        services.AddOptions<MutualTlsOptions>().Configure(configure);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ClusterTls>();
        services.AddSingleton<IConfigurationValidator>(provider => provider.GetRequiredService<ClusterTls>());
    }
}
