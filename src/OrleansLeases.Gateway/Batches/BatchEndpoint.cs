using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Hosting;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Leases;
using OrleansLeases.Gateway.OpenApi;

namespace OrleansLeases.Gateway.Batches;

/// <summary>Several calls in one.</summary>
internal sealed class BatchEndpoint(ServiceCalls calls, GrantDelivery delivery, GatewayBounds bounds)
{
    private const string Path = "/v1/batch";

    private static readonly BatchReader Reader = new();

    public static void Map(IEndpointRouteBuilder endpoints, BatchEndpoint endpoint)
    {
        RequestDelegate handler = endpoint.PostAsync;
        endpoints.MapPost(Path, handler).WithMetadata(OwnRoom.Instance).WithOperation(handler, new OperationMetadata("batch")
        {
            Tag = "Batches",
            Summary = "Makes up to 1,000 calls in one, each on its own, answered in order.",
            Description = "The operations of one name take effect in the order given, all others in no promised order. "
                + "What has no answer after 2 s is outcome-unknown, or unavailable where it changes nothing.",
            Body = typeof(BatchRequest),
            Reply = typeof(BatchReply),
            Refusals = [RefusalCode.InvalidRequest, RefusalCode.LimitReached, RefusalCode.Unavailable, RefusalCode.OutcomeUnknown],
        });
        endpoints.MapOtherMethods(Path, _ => "POST");
    }

    private async Task PostAsync(HttpContext context)
    {
        if (await RequestBody.ReadAsync(context, Reader) is not { } body) return;
        // The renewals and releases in it are not held back by what they came with.
        if (body.Operations.All(operation => IsOfOwnRoom(operation.Value)))
        {
            await AnswerAsync(context, body);
        }
        else if (bounds.Enter(context.Features.Get<ConnectionPlace>()) is { } full)
        {
            await AnswerAsync(context, new([.. body.Operations.Select(
                operation => operation.Wrong is null && !IsOfOwnRoom(operation.Value) ? (null, full) : operation)]));
        }
        else
        {
            try
            {
                await AnswerAsync(context, body);
            }
            finally
            {
                bounds.Leave();
            }
        }
    }

    private static bool IsOfOwnRoom(BatchOperation? operation) =>
        operation is null or BatchOperation.Renew or BatchOperation.Release or BatchOperation.DeleteKey;

    private async Task AnswerAsync(HttpContext context, BatchBody body)
    {
        var operations = body.Operations.Where(operation => operation.Wrong is null).Select(operation => operation.Value!).ToArray();
        var (elapsed, results) = (TimeSpan.Zero, (IReadOnlyList<BatchResult>)[]);
        if (operations.Length > 0)
        {
            var answer = await calls.ChangeAsync(
                context,
                static (leases, request, stop) => leases.BatchAsync(request, stop),
                new BatchRequest { Operations = operations },
                requestId: null,
                context.RequestAborted);
            if (!answer.TryGetValue(out var reply, out var refusal))
            {
                await ResponseWriter.RefuseAsync(context, refusal);
                return;
            }

            (elapsed, results) = (reply.Elapsed, reply.Results);
        }

        var grants = BatchCalls.GrantsOf(operations, results).Select(granted => granted.Grant).ToArray();
        await delivery.DeliverAsync(
            context, grants, requestId: null, () => ResponseWriter.WriteAsync(context, json => Write(json, elapsed, body, results)));
    }

    private static IEnumerable<object> Write(Utf8JsonWriter json, TimeSpan elapsed, BatchBody body, IReadOnlyList<BatchResult> results)
    {
        json.WriteStartObject();
        json.WriteNumber("elapsedMs"u8, elapsed.Ticks / TimeSpan.TicksPerMillisecond);
        json.WriteStartArray("results"u8);
        var next = 0;
        foreach (var (_, wrong) in body.Operations)
        {
            var result = wrong ?? results[next++].Content;
            Write(json, result);
            yield return result;
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, object result)
    {
        json.WriteStartObject();
        json.WriteNumber("status"u8, result is Refusal refusal ? RefusalConverter.StatusOf(refusal.Code) : StatusCodes.Status200OK);
        json.WritePropertyName("body"u8);
        if (result is Refusal problem) JsonSerializer.Serialize(json, problem, LeaseJson.Default.Refusal);
        else JsonSerializer.Serialize(json, result, LeaseJson.Default.GetTypeInfo(result.GetType())!);
        json.WriteEndObject();
    }
}
