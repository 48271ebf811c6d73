using System.Net;
using System.Net.Sockets;

namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary>Another address of a server, which can go away while the server stays, or come to lead to another one.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private Uri _server;
    private CancellationTokenSource _leading = new();

    public Relay(string server)
    {
        _server = new(server);
        _listener.Start();
        Address = $"http://{_listener.LocalEndpoint}";
        _accepting = AcceptAsync();
    }

    public string Address { get; }

    /// <summary>Breaks every connection, and leads those that come to another server.</summary>
    public void LeadTo(string server)
    {
        _server = new(server);
        Interlocked.Exchange(ref _leading, new()).Cancel();
    }

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
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token, _leading.Token);
        await far.ConnectAsync(_server.Host, _server.Port, stop.Token);
        await Task.WhenAny(
            near.GetStream().CopyToAsync(far.GetStream(), stop.Token),
            far.GetStream().CopyToAsync(near.GetStream(), stop.Token));
    }
}
