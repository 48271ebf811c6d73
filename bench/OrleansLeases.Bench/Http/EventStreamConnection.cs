using System.Buffers.Text;
using System.Text;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Http;

// Server-sent events over HTTP/1.1: an answer whose chunks never end. The data of an event holds until the handler returns.
internal sealed class EventStreamConnection : Connection
{
    private readonly string _path;
    private readonly Action<HttpAnswer> _onChange;
    private readonly Pending<bool> _opened = new();
    private byte[] _events = new byte[1024];
    private int _length;
    private bool _hasHead;

    private EventStreamConnection(EventLoop loop, int port, string path, Action<HttpAnswer> onChange)
        : base(loop, port) => (_path, _onChange) = (path, onChange);

    public override bool Waiting => _opened.Waiting;

    // Returns once the server has said that it is listening: everything that happens from then on is told.
    public static async ValueTask<EventStreamConnection> OpenAsync(EventLoop loop, int port, string path, Action<HttpAnswer> onChange)
    {
        var stream = new EventStreamConnection(loop, port, path, onChange);
        var opened = stream._opened.Start();
        stream.Write(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: text/event-stream\r\n\r\n"));
        await opened;
        return stream;
    }

    public override string ToString() => $"events of {_path}";

    // Nobody may be waiting for it, and the run is worth nothing without it.
    protected override void Fail(Exception error) => throw error;

    protected override int Consume(ReadOnlyMemory<byte> data)
    {
        var at = 0;
        if (!_hasHead)
        {
            var headEnd = data.Span.IndexOf("\r\n\r\n"u8);
            if (headEnd < 0)
                return 0;
            var head = data.Span[..headEnd];
            if (!head.StartsWith("HTTP/1.1 200 "u8) || head.IndexOf("text/event-stream"u8) < 0)
                throw new BenchException($"{this}: no event stream: {Encoding.UTF8.GetString(data.Span)}");
            at = headEnd + 4;
            _hasHead = true;
        }

        while (true)
        {
            var rest = data.Span[at..];
            var line = rest.IndexOf("\r\n"u8);
            if (line < 0)
                return at;
            if (!Utf8Parser.TryParse(rest[..line], out int size, out _, 'X') || size == 0)
                throw new BenchException($"{this}: the stream ended, or is not in chunks.");
            if (rest.Length < line + 2 + size + 2)
                return at;
            Append(rest.Slice(line + 2, size));
            at += line + 2 + size + 2;
        }
    }

    // An event may come in several chunks, and a chunk may have several events.
    private void Append(ReadOnlySpan<byte> chunk)
    {
        if (_events.Length - _length < chunk.Length)
            Array.Resize(ref _events, Math.Max(_events.Length * 2, _length + chunk.Length));
        chunk.CopyTo(_events.AsSpan(_length));
        _length += chunk.Length;

        var at = 0;
        for (int end; (end = _events.AsSpan(at.._length).IndexOf("\n\n"u8)) >= 0; at += end + 2)
            Receive(_events.AsMemory(at, end));
        _events.AsSpan(at, _length - at).CopyTo(_events);
        _length -= at;
    }

    private void Receive(ReadOnlyMemory<byte> text)
    {
        if (_opened.Waiting)
            _opened.Complete(true);
        ReadOnlySpan<byte> name = default;
        for (var at = 0; at < text.Length;)
        {
            var line = text[at..];
            var end = line.Span.IndexOf((byte)'\n');
            if (end >= 0)
                line = line[..end];
            at += line.Length + 1;
            if (line.Span.StartsWith("event: "u8))
                name = line.Span[7..];
            else if (line.Span.StartsWith("data: "u8) && !name.SequenceEqual("state"u8))
                _onChange(new HttpAnswer(200, line[6..]));
        }

        if (name.SequenceEqual("resync"u8))
            throw new BenchException($"{this}: the server lost events of a watcher that keeps up.");
    }
}
