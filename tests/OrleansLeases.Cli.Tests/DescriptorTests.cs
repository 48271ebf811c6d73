using System.Net.Sockets;
using System.Text;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>A server with few descriptors lives through more connections than it has room for, and serves after they are gone.</summary>
public sealed class DescriptorTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;
    private readonly List<Socket> _flood = [];

    public void Dispose()
    {
        Close();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(1024, 1200)]
    [InlineData(320, 1200)]
    public async Task Serve_WithMoreConnectionsThanDescriptors_LivesAndServesAfterThem(int limit, int connections)
    {
        await using var server = Tool.StartLimited(limit, "serve", "--data", _folder, "--urls", "http://127.0.0.1:0");
        await Eventually.TrueAsync(
            () => server.Out.Contains("stops it", StringComparison.Ordinal) || server.HasExited,
            () => $"It never listened: {server.Error}");
        var address = new Uri(server.Out["Listening on ".Length..server.Out.IndexOf('\n', StringComparison.Ordinal)]);

        // Before the first request: nothing that only a request needs has been loaded yet.
        for (var i = 0; i < connections; i++)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            _flood.Add(socket);
            await TryAsync(() => socket.ConnectAsync(address.Host, address.Port));
        }

        var served = 0;
        foreach (var socket in _flood)
            if (await IsLiveAsync(socket)) served++;
        // Of the quarter at least, a tenth is for calls of holders, and others may be on their way out.
        Assert.InRange(served, limit / 5, limit);
        Assert.Single(server.Error.Split('\n'), line => line.Contains("ulimit -n", StringComparison.Ordinal));

        Close();
        await Eventually.TrueAsync(
            () => server.HasExited || server.Error.Contains("Connections are taken again", StringComparison.Ordinal),
            () => $"It never said that there is room: {server.Error}");
        Assert.False(server.HasExited, server.Error);
        Assert.Equal(0, (await Tool.RunAsync(address.ToString(), "acquire", "r", "--owner", "ann")).Code);
        Assert.Equal(0, (await Tool.RunAsync(address.ToString(), "list")).Code);
    }

    private void Close()
    {
        foreach (var socket in _flood) socket.Dispose();
        _flood.Clear();
    }

    // Whoever was turned away reads an end or a reset, or has met it before.
    private static async Task<bool> IsLiveAsync(Socket socket)
    {
        using var timeout = new CancellationTokenSource(Eventually.Limit);
        var answer = new byte[64];
        var read = 0;
        await TryAsync(async () =>
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"), timeout.Token);
            read = await socket.ReceiveAsync(answer, timeout.Token);
        });
        return Encoding.ASCII.GetString(answer, 0, read).StartsWith("HTTP/1.1 200", StringComparison.Ordinal);
    }

    private static async Task TryAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (SocketException)
        {
        }
    }
}
