using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Client.Internal;

/// <summary>How a reply is read, and whether it answers what was asked.</summary>
internal readonly record struct ReplyShape<T>(JsonTypeInfo<T> Json, Func<T, bool> Fits);

internal static class ReplyShape
{
    public static ReplyShape<T> Of<T>(JsonTypeInfo<T> json, Func<T, bool> fits) => new(json, fits);
}

/// <summary>One request and its answer, with everything that can go wrong in between told as a refusal.</summary>
internal sealed class HttpExchange(HttpClient http, Uri server, TimeProvider time)
{
    public static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);

    private const int ExcerptLength = 160;

    // Without the closing slash a relative path would replace the last segment of the base address.
    private readonly Uri _root = new(server.GetLeftPart(UriPartial.Path).TrimEnd('/') + "/");

    public static HttpContent Json<T>(T request, JsonTypeInfo<T> json)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(request, json));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    public async ValueTask<LeaseResult<T>> SendAsync<T>(
        HttpMethod method,
        string path,
        HttpContent? body,
        ReplyShape<T> shape,
        TimeSpan limit,
        Func<string, Refusal> withoutAnswer,
        CancellationToken cancellationToken)
        where T : class
    {
        using var message = new HttpRequestMessage(method, new Uri(_root, path))
        {
            Content = body,
            Version = http.DefaultRequestVersion,
            VersionPolicy = http.DefaultVersionPolicy,
        };
        using var timer = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            using var response = await http.SendAsync(message, either.Token).ConfigureAwait(false);
            var content = await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
            return Read(response, content, shape, withoutAnswer);
        }
        catch (HttpRequestException e) when (IsBeforeSending(e))
        {
            return new Refusal.Unavailable(TryAgainAfter, $"{_root} cannot be reached: {Innermost(e)}");
        }
        catch (HttpRequestException e)
        {
            return withoutAnswer($"The connection to {_root} failed before the answer came: {Innermost(e)}");
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return withoutAnswer($"{_root} did not answer in time ({(timer.IsCancellationRequested ? limit : http.Timeout).TotalSeconds:0.###} s).");
        }
    }

    /// <summary>Asks for an answer that goes on for long, and returns it once its head has come; to be disposed of.</summary>
    public async ValueTask<LeaseResult<HttpResponseMessage>> OpenAsync(
        string path, MediaTypeWithQualityHeaderValue type, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, new Uri(_root, path))
        {
            Version = http.DefaultRequestVersion,
            VersionPolicy = http.DefaultVersionPolicy,
        };
        message.Headers.Accept.Add(type);
        using var timer = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, either.Token).ConfigureAwait(false);
            if (response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType == type.MediaType) return response;
            using (response)
            {
                var content = await response.Content.ReadAsByteArrayAsync(either.Token).ConfigureAwait(false);
                return Read(response, content, ReplyShape.Of(Wire.Json.LeaseInfo, _ => false), NotOpened).Refusal!;
            }
        }
        catch (HttpRequestException e)
        {
            return NotOpened($"{_root} cannot be reached: {Innermost(e)}");
        }
        catch (OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return NotOpened($"{_root} did not answer in time ({(timer.IsCancellationRequested ? limit : http.Timeout).TotalSeconds:0.###} s).");
        }

        static Refusal NotOpened(string detail) => new Refusal.Unavailable(TryAgainAfter, detail);
    }

    // SocketsHttpHandler repeats a request on a new connection only before its body has been sent, so these
    // errors say that no server has seen the body.
    private static bool IsBeforeSending(HttpRequestException e) => e.HttpRequestError
        is HttpRequestError.ConnectionError
        or HttpRequestError.NameResolutionError
        or HttpRequestError.SecureConnectionError
        or HttpRequestError.ProxyTunnelError
        or HttpRequestError.VersionNegotiationError;

    private static string Innermost(Exception e)
    {
        while (e.InnerException is { } inner) e = inner;
        return e.Message;
    }

    private LeaseResult<T> Read<T>(HttpResponseMessage response, byte[] content, ReplyShape<T> shape, Func<string, Refusal> withoutAnswer)
        where T : class
    {
        try
        {
            if (!response.IsSuccessStatusCode) return ReadRefusal(response, content, withoutAnswer);
            if (JsonSerializer.Deserialize(content, shape.Json) is { } reply && shape.Fits(reply)) return reply;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or OverflowException or ArgumentException)
        {
            // Told below: whatever these bytes are, they are not the contract's answer.
        }

        var mediaType = response.Content.Headers.ContentType?.MediaType ?? "no media type";
        return withoutAnswer(string.Create(
            CultureInfo.InvariantCulture,
            $"The answer of {_root} is not a lease server's: status {(int)response.StatusCode}, {mediaType}, '{Excerpt(content)}'. Check the address, and any proxy in between."));
    }

    private static Refusal ReadRefusal(HttpResponseMessage response, byte[] content, Func<string, Refusal> withoutAnswer)
    {
        var refusal = JsonSerializer.Deserialize(content, Wire.Json.Refusal) ?? throw new JsonException("There is no problem.");
        var retryAfter = response.Headers.RetryAfter?.Delta ?? TimeSpan.Zero;
        return refusal switch
        {
            Refusal.Unavailable { RetryAfter.Ticks: <= 0 } unavailable => unavailable with { RetryAfter = retryAfter },
            Refusal.LimitReached { RetryAfter.Ticks: <= 0 } limit => limit with { RetryAfter = retryAfter },
            Refusal.OutcomeUnknown { RequestId: null } unknown when withoutAnswer("") is Refusal.OutcomeUnknown { RequestId: { } id } =>
                unknown with { RequestId = id },
            _ => refusal,
        };
    }

    private static string Excerpt(byte[] content)
    {
        var text = Encoding.UTF8.GetString(content.AsSpan(0, Math.Min(content.Length, ExcerptLength)));
        return string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
    }
}
