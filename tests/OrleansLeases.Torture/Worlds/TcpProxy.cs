using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace OrleansLeases.Torture.Worlds;

/// <summary>What stands between two processes: it passes on what they say, late, not for a while, or never again. Thread-safe.</summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, bool> _open = new();
    private readonly int _target;
    private readonly Task _accepting;
    private volatile TaskCompletionSource? _held;
    private volatile bool _cut;
    private int _delay;

    /// <param name="target">The port of this machine that it leads to.</param>
    public TcpProxy(int target)
    {
        _target = target;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = Task.Run(AcceptAsync);
    }

    public int Port { get; }

    /// <summary>Breaks every connection, and each new one at once, for a while.</summary>
    public async Task CutAsync(TimeSpan length)
    {
        _cut = true;
        Break();
        await Task.Delay(length, TimeProvider.System);
        _cut = false;
    }

    /// <summary>Passes everything on late, for a while.</summary>
    public async Task DelayAsync(TimeSpan delay, TimeSpan length)
    {
        Volatile.Write(ref _delay, (int)delay.TotalMilliseconds);
        await Task.Delay(length, TimeProvider.System);
        Volatile.Write(ref _delay, 0);
    }

    /// <summary>Takes everything and passes nothing on, for a while: a black hole. Then it comes late after all, or is lost.</summary>
    public async Task HoldAsync(TimeSpan length, bool lose)
    {
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _held = held;
        await Task.Delay(length, TimeProvider.System);
        _held = null;
        if (lose) Break();
        held.SetResult();
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        Break();
        await _accepting;
        _listener.Dispose();
    }

    private void Break()
    {
        foreach (var socket in _open.Keys) socket.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket near;
            try
            {
                near = await _listener.AcceptSocketAsync();
            }
            catch (Exception end) when (end is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                return;
            }

            _ = ConnectAsync(near);
        }
    }

    private async Task ConnectAsync(Socket near)
    {
        using var far = new Socket(SocketType.Stream, ProtocolType.Tcp);
        (near.NoDelay, far.NoDelay) = (true, true);
        (_open[near], _open[far]) = (true, true);
        try
        {
            if (_cut) return;
            await far.ConnectAsync(IPAddress.Loopback, _target);
            await Task.WhenAny(PumpAsync(near, far), PumpAsync(far, near));
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            // The other side learns of it by its own connection.
        }
        finally
        {
            near.Dispose();
            _open.TryRemove(near, out _);
            _open.TryRemove(far, out _);
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                if (Volatile.Read(ref _delay) is > 0 and var delay) await Task.Delay(TimeSpan.FromMilliseconds(delay), TimeProvider.System);
                if (_held is { } held) await held.Task;
                for (var sent = 0; sent < count;) sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
            }
        }
        catch (Exception broken) when (broken is SocketException or ObjectDisposedException)
        {
            // Both ends are closed by the caller.
        }
    }
}
