using System.Net;
using Microsoft.AspNetCore.Connections;

namespace OrleansLeases.Gateway.Hosting;

/// <summary>
/// Turns connections beyond the bound away before the next one is accepted. Kestrel's own limit closes them by and by on the
/// thread pool, and has all of a flood open until then.
/// </summary>
internal sealed class BoundedListener(IConnectionListener sockets, ConnectionBound bound) : IConnectionListener
{
    public EndPoint EndPoint => sockets.EndPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var connection = await sockets.AcceptAsync(cancellationToken);
            if (connection is null) return null;
            if (bound.Enter(connection) is { } place)
            {
                connection.Features.Set(place);
                return connection;
            }

            connection.Abort();
            await connection.DisposeAsync();
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => sockets.UnbindAsync(cancellationToken);

    public ValueTask DisposeAsync() => sockets.DisposeAsync();
}
