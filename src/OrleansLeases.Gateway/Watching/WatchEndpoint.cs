using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.Json;
using OrleansLeases.Gateway.OpenApi;

namespace OrleansLeases.Gateway.Watching;

/// <summary>Follows what happens, as server-sent events.</summary>
internal sealed class WatchEndpoint(ServiceCalls calls, GatewayBounds bounds, TimeProvider time)
{
    private const string Path = "/v1/watch";
    private const string LastEventId = "Last-Event-ID";

    // Under a prefix there is no place to go on from. All its events share this id, so that a browser that connects
    // again says that it was here before.
    private const string PrefixOpening = "id: 0\n\n";
    private const string PrefixReopening = "id: 0\nevent: resync\ndata: {}\n\n";

    private static readonly FieldNames Parameters = new(required: [], optional: ["resource", "key", "prefix", "since"]);

    public static void Map(IEndpointRouteBuilder endpoints, WatchEndpoint watch)
    {
        RequestDelegate handler = watch.WatchAsync;
        endpoints.MapGet(Path, handler).WithOperation(handler, new OperationMetadata("watch")
        {
            Tag = "Watch",
            Summary = "Follows what happens to a resource, to a key, or to every name with a prefix, as server-sent events.",
            Description = "Takes one of resource, key and prefix. "
                + "A resource or key is replayed from a given event, or starts with the event state; "
                + "after resync, which says that events may have been missed, the state follows again. "
                + "A prefix covers resources and keys, and is live only. The data of state is a LeaseInfo or a KeyInfo; "
                + "of granted, released, expired, transferred, breaking and broken a LeaseEvent; "
                + "of key-put and key-deleted a KeyChange; of resync an empty object. A stream that is silent for 15 s gets a comment.",
            Reply = typeof(string),
            ReplyType = "text/event-stream",
            Events = [typeof(LeaseInfo), typeof(KeyInfo), typeof(LeaseEvent), typeof(KeyChange)],
            Refusals = [RefusalCode.InvalidRequest, RefusalCode.LimitReached, RefusalCode.Unavailable],
            Parameters =
            [
                OperationMetadata.Query("resource", typeof(string), "The resource to watch."),
                OperationMetadata.Query("key", typeof(string), "The key to watch."),
                OperationMetadata.Query("prefix", typeof(string), "Watches every resource and key whose name starts with this."),
                OperationMetadata.Query("since", typeof(string), "The number of the last event known, or its id."),
                new OperationMetadata.Parameter(
                    LastEventId, "header", typeof(string), "The id of the last event received; it goes before since."),
            ],
        });
        endpoints.MapOtherMethods(Path, _ => "GET");
    }

    private async Task WatchAsync(HttpContext context)
    {
        FieldErrors errors = default;
        var query = new QueryReader(context, Parameters, ref errors);
        var request = new WatchRequest { Resource = query.Text("resource"), Key = query.Text("key"), Prefix = query.Text("prefix") };
        var opening = EventStream.Comment;
        if (!context.Request.Headers.TryGetValue(LastEventId, out var lastEventId))
        {
            request = request with { Since = Since("since", query.Text("since"), ref errors) };
            if (request.Prefix is not null) opening = PrefixOpening;
        }
        else if (request.Prefix is not null)
        {
            opening = PrefixReopening;
        }
        else
        {
            request = request with { Since = Since(LastEventId, lastEventId.ToString(), ref errors) };
        }

        if (errors.Any)
        {
            await ResponseWriter.RefuseAsync(context, errors.ToRefusal());
            return;
        }

        if (bounds.Watches.Enter() is { } full)
        {
            await Full.RefuseAsync(context, full);
            return;
        }

        try
        {
            await FollowAsync(context, request, opening);
        }
        finally
        {
            bounds.Watches.Leave();
        }
    }

    private async Task FollowAsync(HttpContext context, WatchRequest request, string opening)
    {
        var answer = await calls.ReadAsync(context, static (leases, request, stop) => leases.WatchAsync(request, stop), request);
        if (!answer.TryGetValue(out var watch, out var refusal))
        {
            await ResponseWriter.RefuseAsync(context, refusal);
            return;
        }

        // A credential that is no longer valid keeps no stream open, silent as it may be.
        var caller = context.Features.Get<LeaseCaller>();
        bool MayGoOn() => caller?.Rights is not { Readable.Count: 0 };
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, calls.Stopping);
        try
        {
            await using (watch) await EventStream.WriteAsync(context, opening, watch, MayGoOn, time, ends.Token);
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested && context.Response.HasStarted)
        {
            // The client has gone, or the server goes; the client connects again, elsewhere or later.
        }
    }

    private static WatchPoint? Since(string name, string? text, ref FieldErrors errors)
    {
        if (text is null) return null;
        if (WatchPoint.TryParse(text, out var since)) return since;
        errors.Add(name, $"takes the number of an event or its id, was '{FieldErrors.Shorten(text)}'");
        return null;
    }
}
