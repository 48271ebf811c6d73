using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Http2;

// One HTTP/2 stream. A message holds until the client that received it awaits again.
internal sealed class GrpcCall(Http2Connection connection)
{
    private const int Prefix = 5;

    private byte[] _data = new byte[512];
    private int _length;
    private ReadOnlyMemory<byte> _unary;

    public int Id { get; set; }

    public bool Streaming { get; set; }

    public Action<ReadOnlyMemory<byte>>? OnMessage { get; set; }

    public Pending<ReadOnlyMemory<byte>> Answer { get; } = new();

    // Sends one message of a stream and awaits the one that answers it.
    public ValueTask<ReadOnlyMemory<byte>> ExchangeAsync(ReadOnlySpan<byte> message)
    {
        var answer = Answer.Start();
        connection.SendMessage(this, message, last: false);
        return answer;
    }

    public void Send(ReadOnlySpan<byte> message) => connection.SendMessage(this, message, last: false);

    internal void Reset()
    {
        _length = 0;
        _unary = default;
    }

    internal void Append(ReadOnlySpan<byte> data)
    {
        if (_data.Length - _length < data.Length)
            Array.Resize(ref _data, Math.Max(_data.Length * 2, _length + data.Length));
        data.CopyTo(_data.AsSpan(_length));
        _length += data.Length;

        var at = 0;
        while (_length - at >= Prefix)
        {
            var size = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(_data.AsSpan(at + 1));
            if (_length - at < Prefix + size)
                break;
            Deliver(_data.AsMemory(at + Prefix, size));
            at += Prefix + size;
        }

        if (!Streaming || at == 0)
            return;
        _data.AsSpan(at, _length - at).CopyTo(_data);
        _length -= at;
    }

    // A unary answer is complete when its trailers say so.
    internal void End() => Answer.Complete(_unary);

    private void Deliver(ReadOnlyMemory<byte> message)
    {
        if (!Streaming)
            _unary = message;
        else if (OnMessage is { } handler)
            handler(message);
        else
            Answer.Complete(message);
    }
}
