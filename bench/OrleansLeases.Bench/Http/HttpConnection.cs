using System.Buffers.Text;
using System.Text;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Http;

// HTTP/1.1 with one request in flight: the status, the length or the chunks, the body, and nothing else.
internal sealed class HttpConnection(EventLoop loop, int port) : Connection(loop, port)
{
    private readonly int _port = port;
    private readonly Pending<HttpAnswer> _answer = new();
    private ReadOnlyMemory<byte> _last;
    private byte[] _joined = new byte[1024];

    public ValueTask<HttpAnswer> SendAsync(ReadOnlyMemory<byte> request)
    {
        var answer = _answer.Start();
        _last = request;
        Write(request.Span);
        return answer;
    }

    public ValueTask<HttpAnswer> GetAsync(string path) =>
        SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{_port}\r\n\r\n"));

    protected override bool CanReopen => true;

    public override bool Waiting => _answer.Waiting;

    public override string ToString() => $"HTTP on port {_port}, last request {Encoding.UTF8.GetString(_last.Span)}";

    protected override void Fail(Exception error) => _answer.Fail(error);

    protected override int Consume(ReadOnlyMemory<byte> data)
    {
        var span = data.Span;
        var headEnd = span.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
            return 0;
        var head = span[..(headEnd + 2)];
        if (!head.StartsWith("HTTP/1.1 "u8) || !Utf8Parser.TryParse(head[9..], out int status, out _))
            throw new BenchException($"{this}: not an HTTP/1.1 answer: {Encoding.UTF8.GetString(head)}");

        var bodyAt = headEnd + 4;
        if (TryHeader(head, "\r\ncontent-length:"u8, out var length))
        {
            if (data.Length < bodyAt + length)
                return 0;
            _answer.Complete(new HttpAnswer(status, data.Slice(bodyAt, length)));
            return bodyAt + length;
        }

        if (!TryChunks(data[bodyAt..], out var body, out var consumed))
            return 0;
        _answer.Complete(new HttpAnswer(status, body));
        return bodyAt + consumed;
    }

    private static bool TryHeader(ReadOnlySpan<byte> head, ReadOnlySpan<byte> name, out int value)
    {
        for (var at = head.IndexOf((byte)'\n'); at >= 0 && at + name.Length < head.Length;)
        {
            if (Ascii.EqualsIgnoreCase(head.Slice(at - 1, name.Length), name))
                return Utf8Parser.TryParse(head[(at - 1 + name.Length)..].TrimStart((byte)' '), out value, out _);
            var next = head[(at + 1)..].IndexOf((byte)'\n');
            at = next < 0 ? -1 : at + 1 + next;
        }

        value = 0;
        return false;
    }

    // The usual answer is one chunk and stays where it is; several are joined.
    private bool TryChunks(ReadOnlyMemory<byte> data, out ReadOnlyMemory<byte> body, out int consumed)
    {
        body = default;
        consumed = 0;
        var joined = 0;
        var chunks = 0;
        while (true)
        {
            var rest = data.Span[consumed..];
            var line = rest.IndexOf("\r\n"u8);
            if (line < 0)
                return false;
            if (!Utf8Parser.TryParse(rest[..line], out int size, out _, 'X'))
                throw new BenchException($"{this}: neither a length nor chunks: {Encoding.UTF8.GetString(rest[..line])}");
            if (rest.Length < line + 2 + size + 2)
                return false;
            var chunk = data.Slice(consumed + line + 2, size);
            consumed += line + 2 + size + 2;
            if (size == 0)
                break;
            if (chunks++ == 0)
            {
                body = chunk;
                continue;
            }

            if (chunks == 2)
                Join(body.Span, ref joined);
            Join(chunk.Span, ref joined);
        }

        if (chunks > 1)
            body = _joined.AsMemory(0, joined);
        return true;
    }

    private void Join(ReadOnlySpan<byte> chunk, ref int joined)
    {
        if (_joined.Length < joined + chunk.Length)
            Array.Resize(ref _joined, Math.Max(_joined.Length * 2, joined + chunk.Length));
        chunk.CopyTo(_joined.AsSpan(joined));
        joined += chunk.Length;
    }
}
