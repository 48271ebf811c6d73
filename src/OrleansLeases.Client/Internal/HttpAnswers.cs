using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace OrleansLeases.Client.Internal;

/// <summary>A response, or the part of one that is for one call.</summary>
/// <param name="Status">The status.</param>
/// <param name="MediaType">The type of its content; null where it has none.</param>
/// <param name="RetryAfter">When its header says that asking again may help; 0 where it does not.</param>
/// <param name="Content">The content.</param>
internal readonly record struct HttpAnswer(HttpStatusCode Status, string? MediaType, TimeSpan RetryAfter, ReadOnlyMemory<byte> Content)
{
    public bool IsSuccess => (int)Status is >= 200 and < 300;

    public static async ValueTask<HttpAnswer> ReadAsync(HttpResponseMessage response, TimeProvider time, CancellationToken stop)
    {
        var after = response.Headers.RetryAfter is { Date: { } date } ? date - time.GetUtcNow() : response.Headers.RetryAfter?.Delta;
        return new(
            response.StatusCode,
            response.Content.Headers.ContentType?.MediaType,
            after > TimeSpan.Zero ? after.Value : TimeSpan.Zero,
            await response.Content.ReadAsByteArrayAsync(stop).ConfigureAwait(false));
    }
}

/// <summary>What an attempt came to, by its response or by what was thrown instead of one.</summary>
internal static class HttpAnswers
{
    private const int ExcerptLength = 160;

    /// <summary>What came of an attempt that was answered.</summary>
    public static AttemptResult<T> Read<T>(HttpCall<T> call, ServerAttempt attempt, HttpAnswer answer)
        where T : class
    {
        try
        {
            if (!answer.IsSuccess) return new(AttemptStatus.Answered, ReadRefusal(answer, call.RequestId));
            if (JsonSerializer.Deserialize(answer.Content.Span, call.Reply.Json) is { } reply && call.Reply.Fits(reply))
                return new(AttemptStatus.Answered, call.Reply.Later is { } later ? later(reply, attempt.After) : reply);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException
            or OverflowException or ArgumentException)
        {
            // Refused below: whatever these bytes are, they are not the contract's response.
        }

        return new(AttemptStatus.Failed, RefusalOfOthers(call, attempt, answer));
    }

    /// <summary>What came of an attempt whose request was not answered.</summary>
    /// <param name="call">The call.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="message">The request.</param>
    /// <param name="error">What was thrown instead.</param>
    public static AttemptResult<T> Unanswered<T>(HttpCall<T> call, ServerAttempt attempt, HttpRequestMessage message, Exception error)
        where T : class
    {
        var root = attempt.Server.Root;
        var (hearing, what) = error switch
        {
            OperationCanceledException when attempt.Stop.IsCancellationRequested => (AttemptStatus.Silent, Late(attempt)),
            // The handler's own limit, of a connection or of a request.
            OperationCanceledException { InnerException: TimeoutException { InnerException: null } limit } =>
                (AttemptStatus.Silent, $"{root} did not answer in time: {limit.Message}"),
            OperationCanceledException => (AttemptStatus.Silent, $"{root} did not answer in time: {error.Message}"),
            HttpRequestException broken when IsBeforeSending(broken) =>
                (AttemptStatus.Failed, $"{root} cannot be reached: {Innermost(error)}"),
            HttpRequestException => (AttemptStatus.Failed, $"The connection to {root} failed before the answer came: {Innermost(error)}"),
            CredentialException => (AttemptStatus.NotMade, error.Message),
            // A handler of the application's.
            _ => (AttemptStatus.Failed, $"The call to {root} failed: {error.GetType().Name}: {error.Message}"),
        };
        // Once it was begun, the error may be that of a second attempt, by a handler of the application's.
        var unsent = message.Content is RequestBody { IsUnsent: true }
            || ((error is CredentialException || (error is HttpRequestException refused && IsBeforeSending(refused)))
                && message.Content is not RequestBody { IsBegun: true });
        return new(hearing, unsent ? HttpCall<T>.Unreached(what) : call.WithoutAnswer(what));
    }

    /// <summary>What came of an attempt whose time ran out.</summary>
    /// <param name="call">The call.</param>
    /// <param name="attempt">The attempt.</param>
    /// <param name="unsent">No server can have seen it.</param>
    public static AttemptResult<T> Late<T>(HttpCall<T> call, ServerAttempt attempt, bool unsent)
        where T : class =>
        new(AttemptStatus.Silent, unsent ? HttpCall<T>.Unreached(Late(attempt)) : call.WithoutAnswer(Late(attempt)));

    private static string Late(ServerAttempt attempt) => string.Create(
        CultureInfo.InvariantCulture, $"{attempt.Server.Root} did not answer in time ({attempt.Limit.TotalSeconds:0.###} s).");

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

    /// <summary>What a proxy's response, or one of an application around the gateway, says of a call.</summary>
    private static Refusal RefusalOfOthers<T>(HttpCall<T> call, ServerAttempt attempt, HttpAnswer answer)
        where T : class
    {
        var detail = string.Create(
            CultureInfo.InvariantCulture,
            $"The answer of {attempt.Server.Root} is not a lease server's: status {(int)answer.Status}, "
            + $"{answer.MediaType ?? "no media type"}, '{Excerpt(answer.Content.Span)}'. Check the address, and any proxy in between.");
        // Too many requests is said instead of carrying one out. Any other status may be a proxy's that lost the server after it had
        // passed the request on.
        var refusal = answer.Status == HttpStatusCode.TooManyRequests ? HttpCall<T>.Unreached(detail) : call.WithoutAnswer(detail);
        return refusal is Refusal.Unavailable unavailable ? unavailable with { RetryAfter = answer.RetryAfter } : refusal;
    }

    private static Refusal ReadRefusal(HttpAnswer answer, string? requestId)
    {
        var refusal = JsonSerializer.Deserialize(answer.Content.Span, Wire.Json.Refusal) ?? throw new JsonException("There is no problem.");
        return refusal switch
        {
            Refusal.Unavailable { RetryAfter.Ticks: <= 0 } unavailable => unavailable with { RetryAfter = answer.RetryAfter },
            Refusal.LimitReached { RetryAfter.Ticks: <= 0 } limit => limit with { RetryAfter = answer.RetryAfter },
            Refusal.OutcomeUnknown { RequestId: null } unknown => unknown with { RequestId = requestId },
            _ => refusal,
        };
    }

    private static string Excerpt(ReadOnlySpan<byte> content)
    {
        var text = Encoding.UTF8.GetString(content[..Math.Min(content.Length, ExcerptLength)]);
        return string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
    }
}
