using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Http;

/// <summary>Takes a body in whole, within its bound, and has it parsed.</summary>
internal static class RequestBody
{
    /// <summary>The longest body.</summary>
    public const int MaxBytes = 1024 * 1024;

    private const string Json = "application/json";

    /// <summary>Reads the request out of the body, or answers what is wrong with it.</summary>
    /// <param name="context">The call.</param>
    /// <param name="reader">Reads the fields.</param>
    /// <returns>The request; null where the call is answered already.</returns>
    public static async ValueTask<T?> ReadAsync<T>(HttpContext context, IBodyReader<T> reader)
        where T : class
    {
        var problem = ProblemOf(context.Request);
        FieldErrors errors = default;
        var room = new BodyRoom.Part(context);
        try
        {
            if (problem is null)
            {
                var pipe = context.Request.BodyReader;
                var body = await ReadToEndAsync(pipe, room);
                var isWhole = body.Length <= MaxBytes && room.Refusal is null;
                var request = isWhole ? Parse(context, body, reader, out errors) : null;
                if (body.Length > MaxBytes) problem = HttpProblem.BodyTooLarge;
                pipe.AdvanceTo(body.End);
                if (request is not null) return request;
            }
        }
        catch (BadHttpRequestException e)
        {
            problem = HttpProblem.UnreadableBody(e.StatusCode);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The caller may be gone. It may be there as well: a chunk beyond 2 GiB is reported like a connection that is cut.
            problem = HttpProblem.UnreadableBody(StatusCodes.Status400BadRequest);
            context.Response.Headers.Connection = "close";
        }
        finally
        {
            room.Leave();
        }

        if (problem is not null)
            await ResponseWriter.RefuseAsync(context, problem);
        else if (room.Refusal is { } full)
            await Full.RefuseAsync(context, full);
        else
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
        return null;
    }

    /// <summary>
    /// Makes sure that a change that takes no body was sent none: what the caller says there, a condition perhaps, would be passed over.
    /// </summary>
    public static void RequireNone(HttpContext context, ref FieldErrors errors)
    {
        // Over HTTP/2 a request without a length may have an empty body, as our own client's does: only reading it would tell.
        if (context.Request.ContentLength > 0 || context.Request.Headers.TransferEncoding.Count > 0)
            errors.Add(FieldReader.Body, "is not taken here; leave it out and say everything in the path and the query");
    }

    private static HttpProblem? ProblemOf(HttpRequest request) =>
        !IsJson(request.ContentType) ? HttpProblem.WrongMediaType(FieldErrors.Shorten(request.ContentType ?? ""))
        : request.ContentLength > MaxBytes ? HttpProblem.BodyTooLarge
        : null;

    // Without a type, or as text, a body comes from any web page; only for JSON does a browser ask the server first.
    private static bool IsJson(string? contentType) =>
        Json.Equals(contentType, StringComparison.OrdinalIgnoreCase)
        || (MediaTypeHeaderValue.TryParse(contentType, out var parsed)
            && parsed.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase)
            && (!parsed.Charset.HasValue
                || HeaderUtilities.RemoveQuotes(parsed.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase)));

    // Stops past the bound: what is left then is the server's to drop.
    private static async ValueTask<ReadOnlySequence<byte>> ReadToEndAsync(PipeReader pipe, BodyRoom.Part room)
    {
        var read = await pipe.ReadAsync();
        while (!read.IsCompleted && read.Buffer.Length <= MaxBytes && room.TryGrow(read.Buffer.Length))
        {
            pipe.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await pipe.ReadAsync();
        }

        return read.Buffer;
    }

    private static T? Parse<T>(HttpContext context, ReadOnlySequence<byte> body, IBodyReader<T> reader, out FieldErrors errors)
        where T : class
    {
        errors = default;
        // A condition that stands in the query of a put, as that of a delete does, must not be passed over.
        _ = new QueryReader(context, FieldNames.None, ref errors);
        var idempotencyKey = reader.TakesRequestId ? IdempotencyKey.Read(context, ref errors) : null;
        if (body.IsSingleSegment) return Parse(body.FirstSpan, idempotencyKey, reader, ref errors);

        var copy = ArrayPool<byte>.Shared.Rent((int)body.Length);
        body.CopyTo(copy);
        var request = Parse(copy.AsSpan(0, (int)body.Length), idempotencyKey, reader, ref errors);
        ArrayPool<byte>.Shared.Return(copy);
        return request;
    }

    private static T? Parse<T>(ReadOnlySpan<byte> body, string? idempotencyKey, IBodyReader<T> reader, ref FieldErrors errors)
        where T : class
    {
        if (body.IsEmpty)
        {
            errors.Add(FieldReader.Body, "is empty; takes a JSON object");
            return null;
        }

        var fields = new FieldReader(body, idempotencyKey, errors);
        T? request = null;
        try
        {
            if (fields.Start()) request = reader.Read(ref fields);
            fields.End();
            errors = fields.Errors;
        }
        catch (JsonException e)
        {
            errors = fields.Errors;
            errors.Add(
                FieldReader.Body,
                $"is not JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}: {WithoutPosition(e.Message)}");
        }

        return errors.Any ? null : request;
    }

    private static string WithoutPosition(string message)
    {
        var position = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (position < 0 ? message : message[..position]).TrimEnd('.');
    }
}
