using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Cli.Tests.Infrastructure;

/// <summary>A collector that takes OTLP over HTTP, as protobuf, and keeps what it was sent.</summary>
internal sealed class OtlpSink : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Dictionary<string, List<byte>> _received = [];

    private OtlpSink(WebApplication app) => _app = app;

    public string Address => _app.Urls.Single();

    public static async Task<OtlpSink> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var sink = new OtlpSink(builder.Build());
        sink._app.Run(sink.TakeAsync);
        await sink._app.StartAsync();
        return sink;
    }

    /// <summary>Whether a name is in what it was sent of a signal, <c>traces</c> or <c>metrics</c>: protobuf has text as it is.</summary>
    public bool Has(string signal, string name) => Has(signal, Encoding.UTF8.GetBytes(name));

    /// <summary>Whether any of a trace's spans is in what it was sent, or a link to one.</summary>
    public bool HasTrace(string trace) => Has("traces", Convert.FromHexString(trace));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private bool Has(string signal, byte[] bytes)
    {
        lock (_received)
        {
            return _received.TryGetValue($"/v1/{signal}", out var received)
                && System.Runtime.InteropServices.CollectionsMarshal.AsSpan(received).IndexOf(bytes) >= 0;
        }
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        lock (_received)
        {
            if (!_received.TryGetValue(context.Request.Path, out var received)) _received[context.Request.Path] = received = [];
            received.AddRange(body.ToArray());
        }
    }
}
