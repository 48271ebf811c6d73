using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace OrleansLeases.Gateway.Watching;

/// <summary>
/// Writes events as <c>text/event-stream</c>. A client that does not read delays no other: its watch is not read either, and ends in
/// resync.
/// </summary>
internal static class EventStream
{
    /// <summary>A comment, which every client passes over.</summary>
    public const string Comment = ":\n\n";

    // Proxies close what is silent for long.
    private static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(15);

    // Where there is always one more event, they leave in pieces of this size.
    private const int BytesAtOnce = 16 * 1024;

    /// <summary>Writes until the watch ends or its client has gone.</summary>
    /// <param name="context">The call.</param>
    /// <param name="opening">The first bytes, sent at once, so that the client knows that it is connected.</param>
    /// <param name="watch">The events.</param>
    /// <param name="mayGoOn">Asked at every comment; every event was asked about already.</param>
    /// <param name="time">The clock of the comments.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public static async Task WriteAsync(
        HttpContext context, string opening, LeaseWatch watch, Func<bool> mayGoOn, TimeProvider time, CancellationToken cancellationToken)
    {
        context.Response.ContentType = "text/event-stream";
        // nginx keeps back what a server behind it sends until it has some thousand bytes of it.
        context.Response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var events = watch.GetAsyncEnumerator(ends.Token);
        var next = events.MoveNextAsync().AsTask();
        try
        {
            var body = context.Response.BodyWriter;
            await using var json = new Utf8JsonWriter(body);
            var unsent = body.Write(opening);
            while (true)
            {
                if (!next.IsCompleted || unsent > BytesAtOnce)
                {
                    if ((await body.FlushAsync(ends.Token)).IsCompleted) return;
                    unsent = 0;
                }

                try
                {
                    if (!await next.WaitAsync(KeepAlive, time, ends.Token)) break;
                }
                catch (TimeoutException) when (!next.IsCompleted)
                {
                    if (!mayGoOn()) break;
                    unsent += body.Write(Comment);
                    continue;
                }

                unsent += body.Write(events.Current, json);
                next = events.MoveNextAsync().AsTask();
            }

            await body.FlushAsync(ends.Token);
        }
        finally
        {
            // An enumeration must not be disposed of in the middle of a step.
            await ends.CancelAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static int Write(this PipeWriter body, WatchEvent change, Utf8JsonWriter json)
    {
        var id = change.ResumeFrom is { } point ? $"id: {point}\n" : "";
        var bytes = body.Write($"{id}event: {change.Name}\ndata: ");
        // It has no line breaks.
        change.WriteData(json);
        json.Flush();
        bytes += (int)json.BytesCommitted + body.Write("\n\n");
        json.Reset();
        return bytes;
    }

    private static int Write(this PipeWriter body, string text) => (int)Encoding.UTF8.GetBytes(text, body);
}
