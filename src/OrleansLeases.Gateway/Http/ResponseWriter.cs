using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Http;

/// <summary>Writes answers: a whole JSON body with its length, or a problem with its status.</summary>
internal static class ResponseWriter
{
    private const string Json = "application/json";
    private const string Problem = "application/problem+json";
    private const int Portion = 256 * 1024;

    /// <summary>Writes a body.</summary>
    /// <returns>Whether the connection took it. Where it did not, no byte of it has left.</returns>
    public static ValueTask<bool> WriteAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type)
    {
        var buffer = ResponseBuffer.Rent();
        JsonSerializer.Serialize(buffer.Json, value, type);
        return SendAsync(context, StatusCodes.Status200OK, Json, buffer);
    }

    /// <summary>
    /// Writes a body of many parts. A large one goes out in portions, each once the connection has taken the last: it costs no more
    /// memory than a portion, however large it is and however slowly its caller reads.
    /// </summary>
    /// <param name="context">The call.</param>
    /// <param name="parts">Writes a part of the body with each step.</param>
    /// <returns>As for a body that is written at once, of the first portion.</returns>
    public static async ValueTask<bool> WriteAsync(HttpContext context, Func<Utf8JsonWriter, IEnumerable<object>> parts)
    {
        var buffer = ResponseBuffer.Rent();
        try
        {
            var begun = false;
            foreach (var _ in parts(buffer.Json))
            {
                if (buffer.Length < Portion) continue;
                if (!await SendPortionAsync(context, buffer)) return begun;
                begun = true;
            }

            if (!begun) return await SendAsync(context, StatusCodes.Status200OK, Json, buffer.Written());
            await SendPortionAsync(context, buffer);
            return true;
        }
        finally
        {
            buffer.Return();
        }
    }

    /// <summary>Writes what a call came to.</summary>
    public static async Task WriteAsync<T>(HttpContext context, LeaseResult<T> answer, JsonTypeInfo<T> type)
        where T : class
    {
        if (answer.TryGetValue(out var value, out var refusal))
            await WriteAsync(context, value, type);
        else
            await RefuseAsync(context, refusal);
    }

    /// <summary>Writes a body that is JSON already.</summary>
    public static async Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> json) =>
        await SendAsync(context, StatusCodes.Status200OK, Json, json);

    /// <summary>Writes a refusal as a problem.</summary>
    public static async Task RefuseAsync(HttpContext context, Refusal refusal)
    {
        if (RetryAfterOf(refusal) is { } retryAfter) context.Response.Headers.RetryAfter = retryAfter;
        var buffer = ResponseBuffer.Rent();
        JsonSerializer.Serialize(buffer.Json, refusal, LeaseJson.Default.Refusal);
        await SendAsync(context, RefusalConverter.StatusOf(refusal.Code), Problem, buffer);
    }

    /// <summary>Writes a problem of HTTP itself.</summary>
    public static async Task RefuseAsync(HttpContext context, HttpProblem problem)
    {
        var buffer = ResponseBuffer.Rent();
        Write(buffer.Json, problem);
        await SendAsync(context, problem.Status, Problem, buffer);
    }

    /// <summary>Writes a problem of HTTP itself as JSON, which is the writer's to flush.</summary>
    public static void Write(Utf8JsonWriter json, HttpProblem problem)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "urn:orleans-leases:invalid-request"u8);
        json.WriteString("title"u8, "The request is malformed"u8);
        json.WriteNumber("status"u8, problem.Status);
        json.WriteString("detail"u8, problem.Message);
        json.WriteStartObject("errors"u8);
        json.WriteStartArray(problem.Field);
        json.WriteStringValue(problem.Message);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The header Retry-After of a refusal, in seconds; null where it has none.</summary>
    public static string? RetryAfterOf(Refusal refusal)
    {
        TimeSpan? retryAfter = refusal switch
        {
            Refusal.LimitReached limit => limit.RetryAfter,
            Refusal.Unavailable unavailable => unavailable.RetryAfter,
            _ => null,
        };
        return retryAfter is { } wait
            ? Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture)
            : null;
    }

    private static async ValueTask<bool> SendAsync(HttpContext context, int status, string contentType, ResponseBuffer buffer)
    {
        try
        {
            return await SendAsync(context, status, contentType, buffer.Written());
        }
        finally
        {
            buffer.Return();
        }
    }

    // Its length is not known before its last portion is.
    private static async ValueTask<bool> SendPortionAsync(HttpContext context, ResponseBuffer buffer)
    {
        context.Response.ContentType ??= Json;
        var taken = await FlushAsync(context.Response, buffer.Written());
        buffer.BeginPortion();
        return taken;
    }

    private static ValueTask<bool> SendAsync(HttpContext context, int status, string contentType, ReadOnlyMemory<byte> body)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        return FlushAsync(response, body);
    }

    private static async ValueTask<bool> FlushAsync(HttpResponse response, ReadOnlyMemory<byte> body)
    {
        // Taken from the flush and not from RequestAborted: a caller that has read its answer and hangs up at once
        // fires that too.
        var flush = await response.BodyWriter.WriteAsync(body);
        return flush is { IsCompleted: false, IsCanceled: false };
    }
}
