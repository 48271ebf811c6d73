using System.Net;
using System.Net.Http.Headers;

namespace OrleansLeases.Client.Internal;

/// <summary>A body that knows whether any of it may have left.</summary>
internal sealed class RequestBody : HttpContent
{
    private readonly byte[] _bytes;
    private volatile bool _begun;

    public RequestBody(byte[] bytes)
    {
        _bytes = bytes;
        if (bytes.Length > 0) Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    /// <summary>Some of the body was asked for: a server may have carried it out.</summary>
    public bool IsBegun => _begun;

    /// <summary>No server can have carried it out: none of the body was asked for yet. An empty body does not show it.</summary>
    public bool IsUnsent => !_begun && _bytes.Length > 0;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        _begun = true;
        return stream.WriteAsync(_bytes, cancellationToken).AsTask();
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _bytes.Length;
        return true;
    }
}
