using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Client.Internal;

/// <summary>One watch over HTTP: reads server-sent events, and connects again where the connection broke.</summary>
internal sealed class HttpWatch(HttpExchange exchange, WatchRequest request, CallLimits limits, TimeProvider time, Random random)
{
    private static readonly MediaTypeWithQualityHeaderValue EventStream = new("text/event-stream");
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>Called with false when the connection has broken, and with true when there is one again.</summary>
    public Action<bool>? Connected { get; init; }

    // The server sends a comment every 15 s; a connection that is silent for three times that is dead.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(45);

    public async ValueTask<LeaseResult<LeaseWatch>> StartAsync(CancellationToken cancellationToken)
    {
        var started = await ConnectAsync(request.Since, cancellationToken).ConfigureAwait(false);
        // What gives up the start does not end the watch.
        return started.TryGetValue(out var response, out var refusal)
            ? new LeaseWatch(FollowAsync(response, CancellationToken.None), response)
            : refusal;
    }

    private ValueTask<LeaseResult<HttpResponseMessage>> ConnectAsync(WatchPoint? since, CancellationToken cancellationToken) =>
        exchange.OpenAsync(WirePath.OfWatch(request with { Since = since }), EventStream, limits, cancellationToken);

    private async IAsyncEnumerable<WatchEvent> FollowAsync(
        HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var since = request.Since;
        var pauses = new Backoff(ShortestPause, LongestPause, random);
        while (true)
        {
            using (response)
            {
                var events = ReadAsync(response, cancellationToken).GetAsyncEnumerator(cancellationToken);
                await using var _ = events.ConfigureAwait(false);
                while (await NextAsync(events).ConfigureAwait(false))
                {
                    pauses.Reset();
                    since = events.Current.ResumeFrom ?? since;
                    yield return events.Current;
                }
            }

            Connected?.Invoke(false);
            Refusal? away = null;
            while (true)
            {
                await Task.Delay(pauses.Next(away), time, cancellationToken).ConfigureAwait(false);
                var again = await ConnectAsync(since, cancellationToken).ConfigureAwait(false);
                away = again.Refusal;
                if (away is Refusal.Unavailable or Refusal.LimitReached) continue;
                // Any other refusal, such as of a credential that has run out, stands; the result throws it.
                response = again.Value;
                break;
            }

            Connected?.Invoke(true);

            if (request.Prefix is not null) yield return WatchEvent.Resync.Instance;
        }
    }

    // How a connection ends says nothing: the next one goes on after the last event.
    private static async ValueTask<bool> NextAsync(IAsyncEnumerator<WatchEvent> events)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is HttpRequestException or IOException or JsonException or TimeoutException)
        {
            return false;
        }
    }

    private async IAsyncEnumerable<WatchEvent> ReadAsync(
        HttpResponseMessage response, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var silence = new CancellationTokenSource(LongestSilence, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        var heard = new WatchedStream(stream, () => silence.CancelAfter(LongestSilence));
        await using var closesStream = heard.ConfigureAwait(false);
        var items = SseParser.Create(heard, Parse).EnumerateAsync(either.Token).GetAsyncEnumerator(either.Token);
        await using var endsItems = items.ConfigureAwait(false);
        while (true)
        {
            try
            {
                if (!await items.MoveNextAsync().ConfigureAwait(false)) yield break;
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"Nothing was heard for {LongestSilence.TotalSeconds} s.");
            }

            if (items.Current.Data is not { } received) continue;
            // Under a prefix the id is no place to go on from. Decision prefix-stream-has-one-id.
            yield return request.Prefix is null && WatchPoint.TryParse(items.Current.EventId, out var point)
                ? received with { ResumeFrom = point }
                : received;
        }
    }

    private WatchEvent? Parse(string name, ReadOnlySpan<byte> data) => name switch
    {
        "state" when request.Key is not null => new WatchEvent.KeySnapshot(Read(data, Wire.Json.KeyInfo)),
        "state" => new WatchEvent.LeaseSnapshot(Read(data, Wire.Json.LeaseInfo)),
        "granted" or "released" or "expired" or "transferred" or "breaking" or "broken" =>
            Read(data, Wire.Json.LeaseEvent) is { Resource: not null } change
                ? new WatchEvent.LeaseChanged(change)
                : throw new JsonException("It is of no resource."),
        "key-put" or "key-deleted" => new WatchEvent.KeyChanged(Read(data, Wire.Json.KeyChange)),
        "resync" => WatchEvent.Resync.Instance,
        // A newer server's.
        _ => null,
    };

    private static T Read<T>(ReadOnlySpan<byte> data, JsonTypeInfo<T> json) =>
        JsonSerializer.Deserialize(data, json) ?? throw new JsonException("There is nothing.");
}
