using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.OpenApi;

namespace OrleansLeases.Gateway.Keys;

/// <summary>Where the calls about keys are, and what they take and answer.</summary>
internal static class KeyEndpoints
{
    private const string Tag = "Keys";
    private const string Path = "/v1/keys";
    private const string Named = Path + "/{**key}";
    private const string Counter = "/v1/counters/{**key}";

    private static readonly RefusalCode[] Always = [RefusalCode.InvalidRequest, RefusalCode.LimitReached, RefusalCode.Unavailable];
    private static readonly RefusalCode[] OfWrite = [.. Always, RefusalCode.NotHolder, RefusalCode.Conflict, RefusalCode.OutcomeUnknown];

    public static void Map(IEndpointRouteBuilder endpoints, KeyHandlers handlers)
    {
        RequestDelegate put = handlers.PutAsync, get = handlers.GetAsync, delete = handlers.DeleteAsync;
        RequestDelegate add = handlers.AddAsync, list = handlers.ListAsync;
        endpoints.MapPut(Named, put).WithOperation(put, new OperationMetadata("putKey")
        {
            Tag = Tag,
            Summary = "Writes a key, bound to a lease or free-standing.",
            Description = "A bound key is there only while its lease is. Without a lease a bound key becomes free-standing. "
                + "With ttlMs it is absent from then on; a put without it makes the key stay.",
            Body = typeof(PutKeyRequest),
            Reply = typeof(KeyPut),
            Refusals = OfWrite,
            Parameters = [OperationMetadata.Key, OperationMetadata.IdempotencyKey],
        });
        endpoints.MapGet(Named, get).WithOperation(get, new OperationMetadata("getKey")
        {
            Tag = Tag,
            Summary = "Reads a key. One whose lease has ended, or whose time is over, is not found, cleaned up or not.",
            Reply = typeof(KeyValue),
            Refusals = [.. Always, RefusalCode.NotFound],
            Parameters = [OperationMetadata.Key],
        });
        endpoints.MapDelete(Named, delete).WithMetadata(OwnRoom.Instance).WithOperation(delete, new OperationMetadata("deleteKey")
        {
            Tag = Tag,
            Summary = "Deletes a key, whatever it is bound to.",
            Reply = typeof(KeyDeletion),
            Refusals = [.. Always, RefusalCode.Conflict, RefusalCode.OutcomeUnknown],
            Parameters = [OperationMetadata.Key, OperationMetadata.Query("ifVersion", typeof(long), "Only this version.")],
        });
        endpoints.MapPost(Counter, add).WithOperation(add, new OperationMetadata("addToCounter")
        {
            Tag = Tag,
            Summary = "Adds to a key whose value is a decimal 64-bit integer; an absent key counts as 0.",
            Description = "Retries with the same request id are recognised for at least the last 1,024 changes of the key.",
            Body = typeof(AddToCounterRequest),
            Reply = typeof(CounterValue),
            Refusals = OfWrite,
            Parameters = [OperationMetadata.Key, OperationMetadata.IdempotencyKey],
        });
        endpoints.MapGet(Path, list).WithOperation(list, new OperationMetadata("listKeys")
        {
            Tag = Tag,
            Summary = "Lists keys in the byte order of their names.",
            Description = "A page may have fewer keys than asked for while next names more.",
            Reply = typeof(KeyPage),
            Refusals = Always,
            Parameters =
            [
                OperationMetadata.Query("prefix", typeof(string), "Only names that start with this."),
                OperationMetadata.Query("pageSize", typeof(int), "How many at most: 1 to 1,000; 100 by default."),
                OperationMetadata.Query("after", typeof(string), "The next of the page before."),
            ],
        });
        endpoints.MapOtherMethods(Named, context => context.Request.RouteValues["key"] is null ? "GET" : "GET, PUT, DELETE");
        endpoints.MapOtherMethods(Counter, _ => "POST");
    }
}
