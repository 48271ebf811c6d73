using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace OrleansLeases.Bench.Driving;

// A non-blocking socket with one buffer each way. Answers are slices of the receive buffer: they hold until the
// awaiting client awaits again.
internal abstract class Connection : IDisposable
{
    private readonly EventLoop _loop;
    private readonly int _port;
    private Socket _socket;
    private int _descriptor;
    private int _slot;
    private byte[] _in = new byte[32 * 1024];
    private int _inStart;
    private int _inEnd;
    private byte[] _out = new byte[16 * 1024];
    private int _outStart;
    private int _outEnd;
    private bool _queued;
    private bool _writeBlocked;
    private bool _closed;

    protected Connection(EventLoop loop, int port)
    {
        (_loop, _port) = (loop, port);
        Open();
    }

    // Whether a call is still without its answer.
    public abstract bool Waiting { get; }

    public void Dispose() => Dispose(disposing: true);

    protected virtual void Dispose(bool disposing)
    {
        if (_closed)
            return;
        _closed = true;
        _loop.Unregister(_slot, _descriptor);
        _socket.Dispose();
    }

    // A server may close a connection that was idle for long; a protocol without state between calls opens another.
    protected virtual bool CanReopen => false;

    // Takes whole answers from the front of the data and says how many bytes they were.
    protected abstract int Consume(ReadOnlyMemory<byte> data);

    protected abstract void Fail(Exception error);

    protected void Write(ReadOnlySpan<byte> data)
    {
        data.CopyTo(Reserve(data.Length));
        Commit(data.Length);
    }

    protected Span<byte> Reserve(int size)
    {
        if (_closed)
            Reopen();
        if (_out.Length - _outEnd < size)
            MakeRoom(ref _out, ref _outStart, ref _outEnd, size);
        return _out.AsSpan(_outEnd, size);
    }

    protected void Commit(int size)
    {
        _outEnd += size;
        if (_queued || _writeBlocked)
            return;
        _queued = true;
        _loop.SendLater(this);
    }

    internal void Send()
    {
        _queued = false;
        if (_closed)
            return;
        while (_outStart < _outEnd)
        {
            var sent = _socket.Send(_out.AsSpan(_outStart, _outEnd - _outStart), SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
            {
                BlockWriting(true);
                return;
            }

            if (error != SocketError.Success)
            {
                Fail(new BenchException($"{this}: sending failed: {error}"));
                return;
            }

            _outStart += sent;
        }

        _outStart = _outEnd = 0;
        BlockWriting(false);
    }

    internal void Receive()
    {
        if (_inEnd == _in.Length)
            MakeRoom(ref _in, ref _inStart, ref _inEnd, _in.Length / 2);
        var count = _socket.Receive(_in.AsSpan(_inEnd), SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
            return;
        if (count == 0 || error != SocketError.Success)
        {
            Fail(new BenchException($"{this}: the server closed the connection ({error})."));
            Dispose();
            return;
        }

        _inEnd += count;
        var consumed = Consume(_in.AsMemory(_inStart, _inEnd - _inStart));
        _inStart += consumed;
        if (_inStart == _inEnd)
            _inStart = _inEnd = 0;
    }

    [MemberNotNull(nameof(_socket))]
    private void Open()
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            _socket.Connect(new IPEndPoint(IPAddress.Loopback, _port));
        }
        catch
        {
            _socket.Dispose();
            throw;
        }

        _socket.Blocking = false;
        _descriptor = (int)_socket.SafeHandle.DangerousGetHandle();
        _slot = _loop.Register(this, _descriptor);
    }

    private void Reopen()
    {
        if (!CanReopen)
            throw new BenchException($"{this}: the server had closed the connection.");
        _inStart = _inEnd = _outStart = _outEnd = 0;
        _writeBlocked = false;
        Open();
        _closed = false;
    }

    private static void MakeRoom(ref byte[] buffer, ref int start, ref int end, int size)
    {
        var used = end - start;
        var target = buffer.Length - used >= size ? buffer : new byte[Math.Max(buffer.Length * 2, used + size)];
        Buffer.BlockCopy(buffer, start, target, 0, used);
        (buffer, start, end) = (target, 0, used);
    }

    private void BlockWriting(bool blocked)
    {
        if (_writeBlocked == blocked)
            return;
        _writeBlocked = blocked;
        _loop.WatchForWriting(_slot, _descriptor, blocked);
    }
}
