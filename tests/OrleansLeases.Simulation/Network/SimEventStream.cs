using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Json;

namespace OrleansLeases.Simulation.Network;

/// <summary>A watch as server-sent events: its bytes come as its events do, and end where its connection does.</summary>
internal sealed class SimEventStream(IAsyncEnumerator<WatchEvent> events) : Stream
{
    private ReadOnlyMemory<byte> _unread;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static async Task<HttpResponseMessage> AnswerAsync(RemoteService service, SimQuery query, CancellationToken stop)
    {
        var request = new WatchRequest
        {
            Resource = query.Text("resource"), Key = query.Text("key"), Prefix = query.Text("prefix"),
            Since = WatchPoint.TryParse(query.Text("since"), out var since) ? since : null,
        };
        var opened = await service.OpenAsync(request, stop).ConfigureAwait(false);
        if (!opened.TryGetValue(out var watch, out var refusal))
            return SimHttpHandler.Answer<LeaseInfo>(refusal, LeaseJson.Default.LeaseInfo);
        return new(HttpStatusCode.OK)
        {
            Content = new StreamContent(new SimEventStream(watch.GetAsyncEnumerator(CancellationToken.None)))
            {
                Headers = { ContentType = new("text/event-stream") },
            },
        };
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_unread.IsEmpty)
        {
            // What stops reading closes the stream: no read follows the one that was left.
            if (!await events.MoveNextAsync().AsTask().WaitAsync(cancellationToken).ConfigureAwait(false)) return 0;
            _unread = Bytes(events.Current);
        }

        var count = Math.Min(buffer.Length, _unread.Length);
        _unread[..count].CopyTo(buffer);
        _unread = _unread[count..];
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private static byte[] Bytes(WatchEvent change)
    {
        var bytes = new ArrayBufferWriter<byte>();
        bytes.Write(Encoding.UTF8.GetBytes((change.ResumeFrom is { } point ? $"id: {point}\n" : "") + $"event: {change.Name}\ndata: "));
        using (var json = new Utf8JsonWriter(bytes)) change.WriteData(json);
        bytes.Write("\n\n"u8);
        return bytes.WrittenSpan.ToArray();
    }
}
