using System.Net.Sockets;
using System.Text;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>A server beyond its bounds refuses what is too much, while a holder renews and health answers.</summary>
public sealed class FloodTests : IDisposable
{
    private const string Acquire = """{"resource":"held","owner":"ann","ttlMs":600000}""";
    private const string Wait = """{"resource":"held","owner":"bob","ttlMs":600000,"waitMs":25000}""";

    private readonly List<Caller> _flood = [];

    public void Dispose()
    {
        foreach (var caller in _flood) caller.Dispose();
    }

    [Fact]
    public async Task Serve_UnderAFlood_RefusesIt_AndAHolderRenews()
    {
        await using var server = await ServerProcess.StartAsync(
            "--memory", "--bounds", "connections=100;openRequests=60;openWaits=20;openWatches=10");
        Assert.Contains("At most 100 connections, 60 requests, 20 waits and 10 watches", server.Tool.Out, StringComparison.Ordinal);
        var address = new Uri(server.Address);
        var token = (await AskOnceAsync(Post("acquire", Acquire))).Split("\"token\":")[1].Split(',')[0];
        var renew = Post("renew", $$"""{"resource":"held","owner":"ann","token":{{token}}}""");

        // Waits and watches: so many are open, and the others are refused. Those that are open have not answered.
        await FloodAsync(50, Post("acquire", Wait));
        await Eventually.TrueAsync(() => Refused("openWaits") == 30, () => $"{Refused("openWaits")} waits were refused.");
        await FloodAsync(30, Get("v1/watch?resource=held"));
        await Eventually.TrueAsync(() => Refused("openWatches") == 20, () => $"{Refused("openWatches")} watches were refused.");
        await HolderGoesOnAsync();

        // Connections that say nothing make room for those that do.
        await FloodAsync(300, "");
        Assert.StartsWith("HTTP/1.1 200", await AskOnceAsync(Get("v1/leases/held")), StringComparison.Ordinal);
        await HolderGoesOnAsync();

        // Where all have been heard, the last places are for holders.
        await FloodAsync(100, Get("v1/leases/held"), eachIsHeard: true);
        await Eventually.TrueAsync(() => Refused("connections") > 0, () => "No connection was refused.");
        Assert.Contains("\"limit\":\"connections\"", await AskOnceAsync(Post("acquire", Acquire)), StringComparison.Ordinal);
        await HolderGoesOnAsync();
        Assert.False(server.Tool.HasExited, server.Tool.Error);

        async Task HolderGoesOnAsync()
        {
            Assert.StartsWith("HTTP/1.1 200", await AskOnceAsync(renew), StringComparison.Ordinal);
            Assert.StartsWith("HTTP/1.1 200", await AskOnceAsync(Get("health/live")), StringComparison.Ordinal);
        }

        async Task FloodAsync(int count, string request, bool eachIsHeard = false)
        {
            for (var i = 0; i < count; i++)
            {
                _flood.Add(await Caller.StartAsync(address, request));
                // Otherwise the next may take its place before the server has read its request.
                if (eachIsHeard) await _flood[^1].FirstAsync();
            }
        }

        // The last places may be taken for a moment, by another call or by a connection that is being ended.
        async Task<string> AskOnceAsync(string request)
        {
            using var limit = new CancellationTokenSource(Eventually.Limit);
            while (true)
            {
                using var caller = await Caller.StartAsync(address, request);
                if (await caller.FirstAsync() is { Length: > 0 } answer) return answer;
                limit.Token.ThrowIfCancellationRequested();
            }
        }
    }

    private static string Get(string path) => $"GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private static string Post(string verb, string body) =>
        $"POST /v1/leases/{verb} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        + $"Content-Length: {body.Length}\r\n\r\n{body}";

    private int Refused(string limit) => _flood.Count(caller =>
        caller.Read.StartsWith("HTTP/1.1 429", StringComparison.Ordinal)
        && caller.Read.Contains($"\"limit\":\"{limit}\"", StringComparison.Ordinal)
        && caller.Read.Contains("Retry-After: 1", StringComparison.Ordinal));

    /// <summary>A connection with a request on it.</summary>
    private sealed class Caller : IDisposable
    {
        private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);
        private readonly TaskCompletionSource<string> _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private volatile string _read = "";

        /// <summary>What it has been answered so far.</summary>
        public string Read => _read;

        public static async Task<Caller> StartAsync(Uri address, string request)
        {
            var caller = new Caller();
            try
            {
                await caller._socket.ConnectAsync(address.Host, address.Port);
                await caller._socket.SendAsync(Encoding.ASCII.GetBytes(request));
            }
            catch (SocketException)
            {
                // Turned away so soon.
            }

            _ = caller.ReadAsync();
            return caller;
        }

        /// <summary>The beginning of its answer; empty where it was turned away.</summary>
        public Task<string> FirstAsync() => _first.Task.WaitAsync(Eventually.Limit);

        public void Dispose() => _socket.Dispose();

        private async Task ReadAsync()
        {
            var buffer = new byte[4096];
            try
            {
                while (await _socket.ReceiveAsync(buffer) is > 0 and var count)
                {
                    _read += Encoding.UTF8.GetString(buffer, 0, count);
                    if (_read.Contains('}', StringComparison.Ordinal)) _first.TrySetResult(_read);
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
            }

            _first.TrySetResult(_read);
        }
    }
}
