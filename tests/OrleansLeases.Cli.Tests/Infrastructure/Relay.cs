using System.Net;
using System.Net.Sockets;

namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary>Another address of a server, which can go away while the server stays.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Uri _server;
    private readonly Task _accepting;

    public Relay(string server)
    {
        _server = new(server);
        _listener.Start();
        Address = $"http://{_listener.LocalEndpoint}";
        _accepting = AcceptAsync();
    }

    public string Address { get; }

    /// <summary>Breaks every connection, and takes no new ones.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AcceptAsync()
    {
        while (true) _ = CarryAsync(await _listener.AcceptTcpClientAsync(_stopping.Token));
    }

    private async Task CarryAsync(TcpClient client)
    {
        using var near = client;
        using var far = new TcpClient();
        await far.ConnectAsync(_server.Host, _server.Port, _stopping.Token);
        await Task.WhenAny(
            near.GetStream().CopyToAsync(far.GetStream(), _stopping.Token),
            far.GetStream().CopyToAsync(near.GetStream(), _stopping.Token));
    }
}
