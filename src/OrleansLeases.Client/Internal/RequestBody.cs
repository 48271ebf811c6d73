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

    /// <summary>A request with a body, or without.</summary>
    public static HttpRequestMessage Message(HttpClient http, HttpMethod method, Server server, string path, RequestBody? body) =>
        new(method, new Uri(server.Root, path))
        {
            Content = body,
            Version = http.DefaultRequestVersion,
            VersionPolicy = http.DefaultVersionPolicy,
        };

    /// <summary>Some of the body was read for sending: a server may have carried out the request.</summary>
    public bool IsBegun => _begun;

    /// <summary>No server can have carried out the request: none of its body was read for sending. Not for an empty body.</summary>
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
