using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Http;
using OrleansLeases.Gateway.OpenApi;

namespace OrleansLeases.Gateway.Leases;

/// <summary>Where the calls about leases are, and what they take and answer.</summary>
internal static class LeaseEndpoints
{
    private const string Tag = "Leases";
    private const string Path = "/v1/leases";
    private const string Named = Path + "/{**resource}";
    private const string History = "/v1/history/{**resource}";

    private static readonly RefusalCode[] Always = [RefusalCode.InvalidRequest, RefusalCode.LimitReached, RefusalCode.Unavailable];

    public static void Map(IEndpointRouteBuilder endpoints, LeaseChanges changes, LeaseReads reads)
    {
        var changing = new Changing(endpoints, changes);
        MapHolding(changing);
        MapEnding(changing);
        MapReads(endpoints, reads);

        // A resource may be named like a change, so that the same path takes both methods.
        endpoints.MapOtherMethods(Named, context =>
            context.Request.RouteValues["resource"] is string name && changing.Words.Contains(name) ? "GET, POST" : "GET");
        endpoints.MapOtherMethods(History, _ => "GET");
    }

    private static void MapHolding(Changing changing)
    {
        var json = LeaseJson.Default;

        changing.Map<AcquireRequest, LeaseGrant>("acquire", changing.Acquire, new OperationMetadata("acquireLease")
        {
            Tag = Tag,
            Summary = "Grants the resource, or says who has it.",
            Description = "With waitMs the call waits in the queue; repeat it with the same request id to go on waiting in the same place.",
            Refusals = [RefusalCode.Held, RefusalCode.NotHolder, RefusalCode.Conflict, RefusalCode.OutcomeUnknown],
            Parameters = [OperationMetadata.IdempotencyKey],
        });
        changing.MapChange(
            "renew", json.RenewRequest, static (leases, request, stop) => leases.RenewAsync(request, stop), json.LeaseRenewal,
            new OperationMetadata("renewLease")
            {
                Tag = Tag,
                Summary = "Extends a lease by its time to live from now. Never moves its deadline earlier.",
                Refusals = [RefusalCode.NotHolder, RefusalCode.OutcomeUnknown],
            });
        changing.MapChange(
            "renew-batch", json.RenewBatchRequest, static (leases, request, stop) => leases.RenewBatchAsync(request, stop),
            json.RenewBatchReply,
            new OperationMetadata("renewLeases")
            {
                Tag = Tag,
                Summary = "Extends up to 1,000 leases, each on its own, answered in order.",
                Refusals = [RefusalCode.OutcomeUnknown],
            });
        changing.MapChange(
            "release", json.ReleaseRequest, static (leases, request, stop) => leases.ReleaseAsync(request, stop), json.LeaseRelease,
            new OperationMetadata("releaseLease")
            {
                Tag = Tag,
                Summary = "Ends a lease at its holder's word.",
                Refusals = [RefusalCode.NotHolder, RefusalCode.OutcomeUnknown],
            });
    }

    private static void MapEnding(Changing changing)
    {
        var json = LeaseJson.Default;

        changing.MapChange(
            "transfer", json.TransferRequest, static (leases, request, stop) => leases.TransferAsync(request, stop), json.LeaseGrant,
            new OperationMetadata("transferLease")
            {
                Tag = Tag,
                Summary = "Hands a lease to a new owner, ahead of the queue and with a new token.",
                Description = "The new owner learns its deadline from its first renewal.",
                Refusals = [RefusalCode.NotHolder, RefusalCode.Held, RefusalCode.Conflict, RefusalCode.OutcomeUnknown],
                Parameters = [OperationMetadata.IdempotencyKey],
            });
        changing.MapChange(
            "break", json.BreakRequest, static (leases, request, stop) => leases.BreakAsync(request, stop), json.LeaseBreak,
            new OperationMetadata("breakLease")
            {
                Tag = Tag,
                Summary = "Ends a lease against its holder's will.",
                Description = "Without force it ends no earlier than the deadline its holder was told; "
                    + "with force only fencing protects the resource.",
                Refusals = [RefusalCode.NotHolder, RefusalCode.Conflict, RefusalCode.OutcomeUnknown],
                Parameters = [OperationMetadata.IdempotencyKey],
            });
    }

    private static void MapReads(IEndpointRouteBuilder endpoints, LeaseReads reads)
    {
        RequestDelegate list = reads.ListAsync, get = reads.GetAsync, history = reads.HistoryAsync;
        endpoints.MapGet(Path, list).WithOperation(list, new OperationMetadata("listLeases")
        {
            Tag = Tag,
            Summary = "Lists resources in the byte order of their names, read from stored records.",
            Reply = typeof(LeasePage),
            Refusals = Always,
            Parameters =
            [
                OperationMetadata.Query("prefix", typeof(string), "Only names that start with this."),
                OperationMetadata.Query("owner", typeof(string), "Only leases that this owner holds."),
                OperationMetadata.Query("state", typeof(LeaseFilter), "Which resources; held by default."),
                OperationMetadata.Query("pageSize", typeof(int), "How many at most: 1 to 1,000; 100 by default."),
                OperationMetadata.Query("after", typeof(string), "The next of the page before."),
            ],
        });
        endpoints.MapGet(Named, get).WithOperation(get, new OperationMetadata("getLease")
        {
            Tag = Tag,
            Summary = "Tells who holds a resource. A name never used is free, with last token 0.",
            Reply = typeof(LeaseInfo),
            Refusals = Always,
            Parameters =
            [
                OperationMetadata.Resource,
                OperationMetadata.Query(
                    "consistent", typeof(bool), "Checks the stored version first, so that the answer is never older than the call."),
            ],
        });
        endpoints.MapGet(History, history).WithOperation(history, new OperationMetadata("getLeaseHistory")
        {
            Tag = Tag,
            Summary = "Tells who held a resource, from when, and why it ended; newest last.",
            Reply = typeof(LeaseHistory),
            Refusals = Always,
            Parameters = [OperationMetadata.Resource],
        });
    }

    /// <summary>Maps changes.</summary>
    private sealed class Changing(IEndpointRouteBuilder endpoints, LeaseChanges changes)
    {
        /// <summary>The last segments of their paths.</summary>
        public HashSet<string> Words { get; } = new(StringComparer.Ordinal);

        /// <summary>Answers requests for a change.</summary>
        public RequestDelegate Acquire => changes.AcquireAsync;

        public void Map<TRequest, TReply>(string word, RequestDelegate handler, OperationMetadata operation)
        {
            Words.Add(word);
            var endpoint = endpoints.MapPost($"{Path}/{word}", handler);
            endpoint.WithOperation(
                handler,
                operation with { Body = typeof(TRequest), Reply = typeof(TReply), Refusals = [.. Always, .. operation.Refusals] });
            if (word is "renew" or "renew-batch" or "release") endpoint.WithMetadata(OwnRoom.Instance);
        }

        public void MapChange<TRequest, TReply>(
            string word,
            JsonTypeInfo<TRequest> request,
            Func<ILeaseService, TRequest, CancellationToken, ValueTask<LeaseResult<TReply>>> change,
            JsonTypeInfo<TReply> reply,
            OperationMetadata operation)
            where TRequest : class
            where TReply : class => Map<TRequest, TReply>(word, changes.Answer(request, change, reply), operation);
    }
}
