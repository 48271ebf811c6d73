using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace OrleansLeases.Silo;

/// <summary>
/// Stops listening without cutting off a caller that has just connected or is about to send a request on a connection that was kept:
/// the caller would not know whether that request was carried out. It is unbound once it has let everyone in who had connected,
/// and each connection was closed with an answer, or some time has passed.
/// </summary>
/// <param name="inner">Kestrel's.</param>
/// <param name="socket">The socket that it listens on.</param>
/// <param name="atMost">How long to wait for the connections.</param>
internal sealed class DrainingListener(IConnectionListener inner, Socket socket, TimeSpan atMost) : IConnectionListener
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(1);

    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _allClosed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _open = 1; // One for the listener itself, until it has stopped to listen.

    public EndPoint EndPoint => inner.EndPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        var connection = await inner.AcceptAsync(cancellationToken);
        if (connection is null) return null;
        lock (_gate) _open++;
        connection.ConnectionClosed.UnsafeRegister(static listener => ((DrainingListener)listener!).Closed(), this);
        return connection;
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(atMost);
        try
        {
            // The system resets the connections that nobody has accepted yet, whatever they have sent.
            while (socket.Poll(TimeSpan.Zero, SelectMode.SelectRead)) await Task.Delay(Poll, TimeProvider.System, timeout.Token);
        }
        catch (OperationCanceledException)
        {
        }

        await inner.UnbindAsync(CancellationToken.None);
        Closed();
        await _allClosed.Task.WaitAsync(timeout.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private void Closed()
    {
        lock (_gate)
            if (--_open > 0) return;
        _allClosed.TrySetResult();
    }
}
