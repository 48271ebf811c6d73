using System.Net;
using System.Net.Sockets;
using System.Text;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Scenarios;

// What one connection of a flood came to.
internal enum FloodOutcome
{
    // It is open, and has no answer.
    Open,
    Answered,

    // With 429, and the bound's name.
    Refused,

    // Closed without a word.
    Closed,
}

// A connection that sends one request, or none, and stays. A task each: there are many, and none of them is in a hurry.
internal sealed class FloodCaller : IDisposable
{
    private readonly Socket _socket = Open();
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile FloodOutcome _outcome = FloodOutcome.Open;
    private volatile bool _disposed;

    public FloodOutcome Outcome => _outcome;

    public static async Task<FloodCaller> StartAsync(int port, ReadOnlyMemory<byte> request)
    {
        var caller = new FloodCaller();
        try
        {
            await caller._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
            if (!request.IsEmpty)
                await caller._socket.SendAsync(request);
            _ = caller.ReceiveAsync();
        }
        catch (SocketException)
        {
            caller.End(FloodOutcome.Closed);
        }

        return caller;
    }

    public static ReadOnlyMemory<byte> Get(string path) => Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");

    public async Task<FloodOutcome> FirstAsync()
    {
        await _first.Task;
        return _outcome;
    }

    public void Dispose()
    {
        _disposed = true;
        _socket.Dispose();
    }

    private static Socket Open()
    {
        try
        {
            return new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.TooManyOpenSockets)
        {
            throw new BenchException(
                "The flood has some thousands of connections open at once: raise the limit of open files (ulimit -n 8192).");
        }
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[1024];
        try
        {
            // What was answered stays answered when its connection ends.
            while (await _socket.ReceiveAsync(buffer) is > 0 and var count)
                if (_outcome == FloodOutcome.Open)
                    End(buffer.AsSpan(0, count).StartsWith("HTTP/1.1 429"u8) ? FloodOutcome.Refused : FloodOutcome.Answered);
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
        }

        if (_outcome == FloodOutcome.Open && !_disposed)
            End(FloodOutcome.Closed);
        // There may be more of them in a flood than a process may have open.
        _socket.Dispose();
    }

    private void End(FloodOutcome outcome)
    {
        _outcome = outcome;
        _first.TrySetResult();
    }
}
