using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace OrleansLeases.Client.Internal;

/// <summary>Sends requests and reads their responses; every failure in between is returned as a refusal.</summary>
internal sealed class HttpExchange(HttpClient http, ServerList servers, TimeProvider time)
{
    private const int ExcerptLength = 160;

    private readonly FailOver _failOver = new(servers, time);

    public ValueTask<LeaseResult<T>> SendAsync<T>(HttpCall<T> call, CallLimits limits, CancellationToken cancellationToken)
        where T : class =>
        _failOver.AskAsync(attempt => SendAsync(call, attempt, cancellationToken), call.Wait, call.Repeatable, limits, cancellationToken);

    /// <summary>Asks for an answer that goes on for long, and returns it once its head has come; to be disposed of.</summary>
    public ValueTask<LeaseResult<HttpResponseMessage>> OpenAsync(
        string path, MediaTypeWithQualityHeaderValue type, CallLimits limits, CancellationToken cancellationToken)
    {
        // What is no stream can only be a refusal.
        var call = new HttpCall<LeaseInfo>(HttpMethod.Get, path, ReplyShape.Of(Wire.Json.LeaseInfo, _ => false));
        return _failOver.AskAsync(
            attempt => OpenAsync(call, type, attempt, cancellationToken), TimeSpan.Zero, repeatable: true, limits, cancellationToken);
    }

    private async ValueTask<AttemptResult<T>> SendAsync<T>(HttpCall<T> call, ServerAttempt attempt, CancellationToken cancellationToken)
        where T : class
    {
        using var message = MessageOf(call, attempt);
        try
        {
            using var response = await http.SendAsync(message, attempt.Stop).ConfigureAwait(false);
            var content = await response.Content.ReadAsByteArrayAsync(attempt.Stop).ConfigureAwait(false);
            return Read(call, attempt, response, content);
        }
        catch (Exception error) when (error is not ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return Unanswered(call, attempt, message, error);
        }
    }

    private async ValueTask<AttemptResult<HttpResponseMessage>> OpenAsync(
        HttpCall<LeaseInfo> call, MediaTypeWithQualityHeaderValue type, ServerAttempt attempt, CancellationToken cancellationToken)
    {
        using var message = MessageOf(call, attempt);
        message.Headers.Accept.Add(type);
        AttemptResult<LeaseInfo> outcome;
        try
        {
            var response = await http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, attempt.Stop).ConfigureAwait(false);
            if (response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType == type.MediaType)
            {
                return new(AttemptStatus.Answered, response);
            }

            using var refused = response;
            outcome = Read(call, attempt, refused, await refused.Content.ReadAsByteArrayAsync(attempt.Stop).ConfigureAwait(false));
        }
        catch (Exception error) when (error is not ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            outcome = Unanswered(call, attempt, message, error);
        }

        return new(outcome.Status, outcome.Result.Refusal!);
    }

    private HttpRequestMessage MessageOf<T>(HttpCall<T> call, ServerAttempt attempt)
        where T : class => new(call.Method, new Uri(attempt.Server.Root, call.Path))
        {
            Content = call.Body is { } body ? new RequestBody(body(attempt.After)) : null,
            Version = http.DefaultRequestVersion,
            VersionPolicy = http.DefaultVersionPolicy,
        };

    private static AttemptResult<T> Unanswered<T>(HttpCall<T> call, ServerAttempt attempt, HttpRequestMessage message, Exception error)
        where T : class
    {
        var root = attempt.Server.Root;
        var (hearing, what) = error switch
        {
            OperationCanceledException when attempt.Stop.IsCancellationRequested =>
                (AttemptStatus.Silent,
                    $"{root} did not answer in time ({attempt.Limit.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture)} s)."),
            // The handler's own limit, of a connection or of a request.
            OperationCanceledException { InnerException: TimeoutException { InnerException: null } limit } =>
                (AttemptStatus.Silent, $"{root} did not answer in time: {limit.Message}"),
            OperationCanceledException => (AttemptStatus.Silent, $"{root} did not answer in time: {error.Message}"),
            HttpRequestException broken when IsBeforeSending(broken) =>
                (AttemptStatus.Failed, $"{root} cannot be reached: {Innermost(error)}"),
            HttpRequestException => (AttemptStatus.Failed, $"The connection to {root} failed before the answer came: {Innermost(error)}"),
            // A handler of the application's.
            _ => (AttemptStatus.Failed, $"The call to {root} failed: {error.GetType().Name}: {error.Message}"),
        };
        // Once it was begun, the error may be that of a second attempt, by a handler of the application's.
        var unsent = message.Content is RequestBody { IsUnsent: true }
            || (error is HttpRequestException refused && IsBeforeSending(refused) && message.Content is not RequestBody { IsBegun: true });
        return new(hearing, unsent ? HttpCall<T>.Unreached(what) : call.WithoutAnswer(what));
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

    private AttemptResult<T> Read<T>(HttpCall<T> call, ServerAttempt attempt, HttpResponseMessage response, byte[] content)
        where T : class
    {
        try
        {
            if (!response.IsSuccessStatusCode) return new(AttemptStatus.Answered, ReadRefusal(response, content, call.RequestId));
            if (JsonSerializer.Deserialize(content, call.Reply.Json) is { } reply && call.Reply.Fits(reply))
                return new(AttemptStatus.Answered, call.Reply.Later is { } later ? later(reply, attempt.After) : reply);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or OverflowException or ArgumentException)
        {
            // Refused below: whatever these bytes are, they are not the contract's response.
        }

        return new(AttemptStatus.Failed, RefusalOfOthers(call, attempt, response, content));
    }

    /// <summary>What a proxy's response, or one of an application around the gateway, says of a call.</summary>
    private Refusal RefusalOfOthers<T>(HttpCall<T> call, ServerAttempt attempt, HttpResponseMessage response, byte[] content)
        where T : class
    {
        var mediaType = response.Content.Headers.ContentType?.MediaType ?? "no media type";
        var detail = string.Create(
            CultureInfo.InvariantCulture,
            $"The answer of {attempt.Server.Root} is not a lease server's: status {(int)response.StatusCode}, {mediaType}, "
            + $"'{Excerpt(content)}'. Check the address, and any proxy in between.");
        // Too many requests is said instead of carrying one out. Any other status may be a proxy's that lost the server after it had
        // passed the request on.
        var refusal = response.StatusCode == HttpStatusCode.TooManyRequests ? HttpCall<T>.Unreached(detail) : call.WithoutAnswer(detail);
        return refusal is Refusal.Unavailable unavailable ? unavailable with { RetryAfter = RetryAfter(response) } : refusal;
    }

    private TimeSpan RetryAfter(HttpResponseMessage response)
    {
        var after = response.Headers.RetryAfter is { Date: { } date } ? date - time.GetUtcNow() : response.Headers.RetryAfter?.Delta;
        return after > TimeSpan.Zero ? after.Value : TimeSpan.Zero;
    }

    private Refusal ReadRefusal(HttpResponseMessage response, byte[] content, string? requestId)
    {
        var refusal = JsonSerializer.Deserialize(content, Wire.Json.Refusal) ?? throw new JsonException("There is no problem.");
        var retryAfter = RetryAfter(response);
        return refusal switch
        {
            Refusal.Unavailable { RetryAfter.Ticks: <= 0 } unavailable => unavailable with { RetryAfter = retryAfter },
            Refusal.LimitReached { RetryAfter.Ticks: <= 0 } limit => limit with { RetryAfter = retryAfter },
            Refusal.OutcomeUnknown { RequestId: null } unknown => unknown with { RequestId = requestId },
            _ => refusal,
        };
    }

    private static string Excerpt(byte[] content)
    {
        var text = Encoding.UTF8.GetString(content.AsSpan(0, Math.Min(content.Length, ExcerptLength)));
        return string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
    }
}
