using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;
using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Silo;

/// <summary>
/// Kestrel's sockets, but for the order in which they stop: see <see cref="DrainingListener"/>. Kestrel closes its connections as
/// soon as all listeners are unbound.
/// </summary>
/// <param name="atMost">How long those who are connected may take to send the request that they have begun to send.</param>
/// <param name="bound">How many may be connected; null for as many as come.</param>
/// <param name="loggers">For Kestrel's transport.</param>
internal sealed class DrainingTransport(
    TimeSpan atMost, ConnectionBound? bound, ILoggerFactory loggers) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is IPEndPoint or UnixDomainSocketEndPoint or FileHandleEndPoint;

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket? socket = null;
        var options = new SocketTransportOptions
        {
            CreateBoundListenSocket = at => socket = SocketTransportOptions.CreateDefaultBoundListenSocket(at),
        };
        var listener = await new SocketTransportFactory(Options.Create(options), loggers).BindAsync(endpoint, cancellationToken);
        return new DrainingListener(bound is null ? listener : new BoundedListener(listener, bound), socket!, atMost);
    }
}
