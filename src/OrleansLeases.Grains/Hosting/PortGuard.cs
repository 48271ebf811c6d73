using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// Refuses to start a silo whose ports another process has, above all the same silo, started a second time: it would join as a
/// newer incarnation of the one that runs, which the cluster would give up. Orleans itself does not notice, since its sockets let
/// others share their port.
/// </summary>
/// <param name="provider">The silo's services.</param>
/// <param name="services">The same, as registered: which transport the silo uses is known by a key of Orleans' own.</param>
internal sealed class PortGuard(
    IServiceProvider provider, IServiceCollection services) : IConfigurationValidator, ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private Socket? _lock;

    // Where nothing is logged, with its stack, before it is thrown.
    public void ValidateConfiguration()
    {
        var listeners =
            services.LastOrDefault(service => service.ServiceType == typeof(IConnectionListenerFactory) && service.IsKeyedService);
        // In memory, as in tests, the ports are but numbers.
        if (listeners is null
            || provider.GetKeyedService<IConnectionListenerFactory>(listeners.ServiceKey)?.GetType().Name
                != "SocketConnectionListenerFactory") return;
        var options = provider.GetRequiredService<IOptions<EndpointOptions>>().Value;
        // Orleans says what is wrong with it.
        if (options.AdvertisedIPAddress is null) return;
        var silo = options.SiloListeningEndpoint ?? new IPEndPoint(options.AdvertisedIPAddress, options.SiloPort);
        var gateway = options.GatewayListeningEndpoint ?? new IPEndPoint(options.AdvertisedIPAddress, options.GatewayPort);
        Refuse(silo, nameof(options.SiloPort), taken: !TryLock(silo) || IsTaken(silo));
        Refuse(gateway, nameof(options.GatewayPort), taken: gateway.Port != 0 && IsTaken(gateway));
    }

    public void Participate(ISiloLifecycle lifecycle) => lifecycle.Subscribe(
        nameof(PortGuard),
        ServiceLifecycleStage.First,
        _ => Task.CompletedTask,
        _ =>
        {
            Dispose();
            return Task.CompletedTask;
        });

    public void Dispose() => _lock?.Dispose();

    /// <summary>Whether a process listens on a port of this machine that another is to listen on.</summary>
    /// <param name="endpoint">Where to listen.</param>
    /// <returns>False where it is free, and for other errors: the listener reports those itself.</returns>
    internal static bool IsTaken(EndPoint endpoint)
    {
        using var socket = new Socket(
            endpoint.AddressFamily, SocketType.Stream, endpoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        return IsTaken(socket, endpoint);
    }

    private static bool IsTaken(Socket socket, EndPoint endpoint)
    {
        try
        {
            socket.Bind(endpoint);
            return false;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode == SocketError.AddressAlreadyInUse;
        }
    }

    // Of two that start at the same moment each could find the port free. This name is free again when the process has ended, and
    // nobody but processes on the same network sees it: it is no file. Decision ports-are-held-by-name.
    private bool TryLock(IPEndPoint silo)
    {
        if (!OperatingSystem.IsLinux() || silo.Port == 0 || _lock is not null) return true;
        _lock = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        return !IsTaken(_lock, new UnixDomainSocketEndPoint($"\0orleans-leases/silo/{silo}"));
    }

    private static void Refuse(IPEndPoint endpoint, string name, bool taken)
    {
        if (!taken) return;
        throw new OrleansConfigurationException(
            $"{name} is {endpoint.Port}, and a process on this machine listens at {endpoint} already: another one, or this very silo, "
                + $"started a second time. "
            + "It was not disturbed. Stop it, or give this silo ports of its own.");
    }
}
