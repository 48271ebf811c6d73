using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Http2;

// Plain-text HTTP/2 for gRPC, as little of it as etcd's server needs: HttpClient spends several times the CPU
// per call, which on two shared cores would be etcd's loss.
internal sealed class Http2Connection : Connection
{
    private const int FrameHeader = 9;
    private const int LargeWindow = 0x7fff0000;
    private const int WindowStep = 1 << 20;

    private readonly int _port;
    private readonly string _authority;
    private readonly HpackWriter _headers = new();
    private readonly Dictionary<int, GrpcCall> _calls = [];
    private readonly Stack<GrpcCall> _spare = [];
    private int _nextStream = 1;
    private int _unacknowledged;

    public Http2Connection(EventLoop loop, int port)
        : base(loop, port)
    {
        _port = port;
        _authority = string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}");
        Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        // No dynamic table towards us: then each header block can be read by itself. No push. Wide windows.
        ReadOnlySpan<(Http2Setting Setting, int Value)> settings =
        [
            (Http2Setting.HeaderTableSize, 0), (Http2Setting.EnablePush, 0), (Http2Setting.InitialWindowSize, LargeWindow),
        ];
        Span<byte> payload = stackalloc byte[settings.Length * 6];
        for (var i = 0; i < settings.Length; i++)
        {
            BinaryPrimitives.WriteInt16BigEndian(payload[(i * 6)..], (short)settings[i].Setting);
            BinaryPrimitives.WriteInt32BigEndian(payload[(i * 6 + 2)..], settings[i].Value);
        }

        WriteFrame(Http2Frame.Settings, 0, 0, payload);
        WriteWindowUpdate(0, LargeWindow - ushort.MaxValue);
    }

    public ValueTask<ReadOnlyMemory<byte>> CallAsync(string path, ReadOnlySpan<byte> message)
    {
        var call = Open(path, streaming: false);
        var answer = call.Answer.Start();
        SendMessage(call, message, last: true);
        return answer;
    }

    public GrpcCall OpenStream(string path) => Open(path, streaming: true);

    public override bool Waiting => _calls.Values.Any(call => call.Answer.Waiting);

    public override string ToString() => $"HTTP/2 on port {_port}";

    internal void SendMessage(GrpcCall call, ReadOnlySpan<byte> message, bool last)
    {
        var target = Reserve(FrameHeader + 5 + message.Length);
        WriteFrameHeader(target, 5 + message.Length, Http2Frame.Data, last ? Http2Flag.EndStream : (byte)0, call.Id);
        target[FrameHeader] = 0;
        BinaryPrimitives.WriteInt32BigEndian(target[(FrameHeader + 1)..], message.Length);
        message.CopyTo(target[(FrameHeader + 5)..]);
        Commit(FrameHeader + 5 + message.Length);
    }

    protected override void Fail(Exception error)
    {
        foreach (var call in _calls.Values.ToArray())
            call.Answer.Fail(error);
    }

    protected override int Consume(ReadOnlyMemory<byte> data)
    {
        var span = data.Span;
        var at = 0;
        while (span.Length - at >= FrameHeader)
        {
            var header = span[at..];
            var length = header[0] << 16 | header[1] << 8 | header[2];
            if (header.Length < FrameHeader + length)
                break;
            at += FrameHeader + length;
            Handle((Http2Frame)header[3], header[4], BinaryPrimitives.ReadInt32BigEndian(header[5..]), header.Slice(FrameHeader, length));
        }

        return at;
    }

    private GrpcCall Open(string path, bool streaming)
    {
        if (!_spare.TryPop(out var call))
            call = new GrpcCall(this);
        call.Reset();
        call.Id = _nextStream;
        call.Streaming = streaming;
        _nextStream += 2;
        _calls.Add(call.Id, call);

        var target = Reserve(512);
        var length = _headers.Write(target[FrameHeader..], _authority, path);
        WriteFrameHeader(target, length, Http2Frame.Headers, Http2Flag.EndHeaders, call.Id);
        Commit(FrameHeader + length);
        return call;
    }

    private void Handle(Http2Frame type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        switch (type)
        {
            case Http2Frame.Data:
                Acknowledge(payload.Length);
                _calls[stream].Append(payload);
                if ((flags & Http2Flag.EndStream) != 0)
                    throw new BenchException($"{this}: a stream ended without gRPC trailers.");
                break;
            case Http2Frame.Headers:
                if ((flags & Http2Flag.EndHeaders) == 0)
                    throw new BenchException($"{this}: headers in several frames are not supported.");
                if ((flags & Http2Flag.EndStream) != 0)
                    EndCall(stream, payload);
                break;
            case Http2Frame.Settings when (flags & Http2Flag.Ack) == 0:
                WriteFrame(Http2Frame.Settings, Http2Flag.Ack, 0, default);
                break;
            case Http2Frame.Ping when (flags & Http2Flag.Ack) == 0:
                WriteFrame(Http2Frame.Ping, Http2Flag.Ack, 0, payload);
                break;
            case Http2Frame.Reset:
                throw new BenchException($"{this}: the server reset a stream, error {BinaryPrimitives.ReadInt32BigEndian(payload)}.");
            case Http2Frame.GoAway:
                throw new BenchException($"{this}: the server said GOAWAY: {Encoding.UTF8.GetString(payload[8..])}");
        }
    }

    private void EndCall(int stream, ReadOnlySpan<byte> trailers)
    {
        if (!GrpcTrailers.SayOk(trailers))
            throw new BenchException($"{this}: a call ended with another gRPC status than 0: {Convert.ToHexString(trailers)}");
        _calls.Remove(stream, out var call);
        call!.End();
        _spare.Push(call);
    }

    private void Acknowledge(int bytes)
    {
        _unacknowledged += bytes;
        if (_unacknowledged < WindowStep)
            return;
        WriteWindowUpdate(0, _unacknowledged);
        _unacknowledged = 0;
    }

    private void WriteWindowUpdate(int stream, int increment)
    {
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(payload, increment);
        WriteFrame(Http2Frame.WindowUpdate, 0, stream, payload);
    }

    private void WriteFrame(Http2Frame type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var target = Reserve(FrameHeader + payload.Length);
        WriteFrameHeader(target, payload.Length, type, flags, stream);
        payload.CopyTo(target[FrameHeader..]);
        Commit(FrameHeader + payload.Length);
    }

    private static void WriteFrameHeader(Span<byte> target, int length, Http2Frame type, byte flags, int stream)
    {
        target[0] = (byte)(length >> 16);
        target[1] = (byte)(length >> 8);
        target[2] = (byte)length;
        target[3] = (byte)type;
        target[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(target[5..], stream);
    }
}
