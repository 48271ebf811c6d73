using System.Text;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Redis;

// RESP where every right answer is known to the byte: it is compared, not parsed.
internal sealed class RedisConnection(EventLoop loop, int port) : Connection(loop, port)
{
    private readonly Pending<bool> _answer = new();
    private readonly Pending<string> _text = new();
    private byte[] _expected = [];

    public ValueTask<bool> SendAsync(ReadOnlySpan<byte> request, byte[] expected)
    {
        var answer = _answer.Start();
        _expected = expected;
        Write(request);
        return answer;
    }

    // For the rare answer that is not known beforehand: a bulk string.
    public ValueTask<string> AskAsync(ReadOnlySpan<byte> request)
    {
        var text = _text.Start();
        Write(request);
        return text;
    }

    public override bool Waiting => _answer.Waiting || _text.Waiting;

    public override string ToString() => "redis";

    protected override void Fail(Exception error)
    {
        _answer.Fail(error);
        _text.Fail(error);
    }

    protected override int Consume(ReadOnlyMemory<byte> data)
    {
        var span = data.Span;
        if (_text.Waiting)
            return ConsumeBulk(span);
        var length = Math.Min(span.Length, _expected.Length);
        if (!_answer.Waiting || !span[..length].SequenceEqual(_expected.AsSpan(0, length)))
            throw new BenchException(
                $"redis answered otherwise than expected: {Encoding.UTF8.GetString(span[..Math.Min(200, span.Length)])}");
        if (span.Length < _expected.Length)
            return 0;
        _answer.Complete(true);
        return length;
    }

    private int ConsumeBulk(ReadOnlySpan<byte> span)
    {
        var line = span.IndexOf("\r\n"u8);
        if (line < 0)
            return 0;
        if (span[0] != (byte)'$')
            throw new BenchException($"redis answered: {Encoding.UTF8.GetString(span[..line])}");
        var length = int.Parse(Encoding.ASCII.GetString(span[1..line]), null);
        if (span.Length < line + 2 + length + 2)
            return 0;
        _text.Complete(Encoding.UTF8.GetString(span.Slice(line + 2, length)));
        return line + 2 + length + 2;
    }
}
