using System.Net.Http.Headers;
using OrleansLeases.Client.Telemetry;

namespace OrleansLeases.Client.Internal;

/// <summary>Sends requests and reads their responses; every failure in between is returned as a refusal.</summary>
internal sealed class HttpExchange
{
    private readonly HttpClient _http;
    private readonly TimeProvider _time;
    private readonly FailOver _failOver;
    private readonly SharedRequests _shared;

    public HttpExchange(HttpClient http, ServerList servers, TimeProvider time)
    {
        (_http, _time) = (http, time);
        _failOver = new FailOver(servers, time);
        _shared = new SharedRequests(http, servers, time);
    }

    /// <summary>Counts the attempts.</summary>
    public ClientMetrics Metrics { set => _failOver.Metrics = value; }

    /// <summary>Is told that calls go to another server from now on, and which one they went to before.</summary>
    public Action<Uri, Uri> Changed { set => _failOver.Changed = value; }

    /// <summary>How many calls wait to share a request.</summary>
    public int Gathered => _shared.Gathered;

    /// <summary>Lets calls gather, however few there are, until the result is disposed of; then they go.</summary>
    public SharedRequests.Hold HoldBack() => _shared.HoldBack();

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
        if (call.Operation is null) return await SendAloneAsync(call, attempt, cancellationToken).ConfigureAwait(false);
        var gathering = _shared.Of(attempt.Server, call.IsRenewal);
        if (!gathering.TryBegin())
        {
            var shared = new SharedCall<T>(call, attempt);
            gathering.Add(shared);
            if (await shared.ResultAsync(cancellationToken).ConfigureAwait(false) is { } result) return result;
        }

        try
        {
            return await SendAloneAsync(call, attempt, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            gathering.End();
        }
    }

    private async ValueTask<AttemptResult<T>> SendAloneAsync<T>(
        HttpCall<T> call, ServerAttempt attempt, CancellationToken cancellationToken)
        where T : class
    {
        using var message = MessageOf(call, attempt);
        try
        {
            using var response = await _http.SendAsync(message, attempt.Stop).ConfigureAwait(false);
            return HttpAnswers.Read(call, attempt, await HttpAnswer.ReadAsync(response, _time, attempt.Stop).ConfigureAwait(false));
        }
        catch (Exception error) when (error is not ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return HttpAnswers.Unanswered(call, attempt, message, error);
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
            var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, attempt.Stop).ConfigureAwait(false);
            if (response.IsSuccessStatusCode && response.Content.Headers.ContentType?.MediaType == type.MediaType)
            {
                return new(AttemptStatus.Answered, response);
            }

            using var refused = response;
            outcome = HttpAnswers.Read(call, attempt, await HttpAnswer.ReadAsync(refused, _time, attempt.Stop).ConfigureAwait(false));
        }
        catch (Exception error) when (error is not ObjectDisposedException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            outcome = HttpAnswers.Unanswered(call, attempt, message, error);
        }

        return new(outcome.Status, outcome.Result.Refusal!);
    }

    private HttpRequestMessage MessageOf<T>(HttpCall<T> call, ServerAttempt attempt)
        where T : class => RequestBody.Message(
            _http, call.Method, attempt.Server, call.Path, call.Body is { } body ? new RequestBody(body(attempt.After)) : null);
}
