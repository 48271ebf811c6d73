using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
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
        var changing = new HashSet<string>(StringComparer.Ordinal);

        void MapChange<TRequest, TReply>(string word, RequestDelegate handler, Contract contract)
        {
            changing.Add(word);
            endpoints.MapPost($"{Path}/{word}", handler)
                .WithContract(handler, contract with { Body = typeof(TRequest), Reply = typeof(TReply), Refusals = [.. Always, .. contract.Refusals] });
        }

        MapChange<AcquireRequest, LeaseGrant>("acquire", changes.AcquireAsync, new Contract("acquireLease")
        {
            Tag = Tag,
            Summary = "Grants the resource, or says who has it.",
            Description = "With waitMs the call waits in line; repeat it with the same request id to go on waiting in the same place.",
            Refusals = [RefusalCode.Held, RefusalCode.NotHolder, RefusalCode.Conflict, RefusalCode.OutcomeUnknown],
            Parameters = [Contract.IdempotencyKey],
        });
        MapChange<RenewRequest, LeaseRenewal>("renew", changes.RenewAsync, new Contract("renewLease")
        {
            Tag = Tag,
            Summary = "Extends a lease by its time to live from now. Never moves its deadline earlier.",
            Refusals = [RefusalCode.NotHolder, RefusalCode.OutcomeUnknown],
        });
        MapChange<RenewBatchRequest, RenewBatchReply>("renew-batch", changes.RenewBatchAsync, new Contract("renewLeases")
        {
            Tag = Tag,
            Summary = "Extends up to 1,000 leases, each on its own, answered in order.",
            Refusals = [RefusalCode.OutcomeUnknown],
        });
        MapChange<ReleaseRequest, LeaseRelease>("release", changes.ReleaseAsync, new Contract("releaseLease")
        {
            Tag = Tag,
            Summary = "Ends a lease at its holder's word.",
            Refusals = [RefusalCode.NotHolder, RefusalCode.OutcomeUnknown],
        });
        MapChange<TransferRequest, LeaseGrant>("transfer", changes.TransferAsync, new Contract("transferLease")
        {
            Tag = Tag,
            Summary = "Hands a lease to a new owner, ahead of the line and with a new token.",
            Description = "The new owner learns its deadline from its first renewal.",
            Refusals = [RefusalCode.NotHolder, RefusalCode.Held, RefusalCode.Conflict, RefusalCode.OutcomeUnknown],
            Parameters = [Contract.IdempotencyKey],
        });
        MapChange<BreakRequest, LeaseBreak>("break", changes.BreakAsync, new Contract("breakLease")
        {
            Tag = Tag,
            Summary = "Ends a lease against its holder's will.",
            Description = "Without force it ends no earlier than the deadline its holder was told; with force only fencing protects the resource.",
            Refusals = [RefusalCode.NotHolder, RefusalCode.Conflict, RefusalCode.OutcomeUnknown],
            Parameters = [Contract.IdempotencyKey],
        });

        RequestDelegate list = reads.ListAsync, get = reads.GetAsync, history = reads.HistoryAsync;
        endpoints.MapGet(Path, list).WithContract(list, new Contract("listLeases")
        {
            Tag = Tag,
            Summary = "Lists resources in the byte order of their names, read from stored records.",
            Reply = typeof(LeasePage),
            Refusals = Always,
            Parameters =
            [
                Contract.Query("prefix", typeof(string), "Only names that start with this."),
                Contract.Query("owner", typeof(string), "Only leases that this owner holds."),
                Contract.Query("state", typeof(LeaseFilter), "Which resources; held unless told otherwise."),
                Contract.Query("pageSize", typeof(int), "How many at most: 1 to 1,000; 100 unless told otherwise."),
                Contract.Query("after", typeof(string), "The next of the page before."),
            ],
        });
        endpoints.MapGet(Named, get).WithContract(get, new Contract("getLease")
        {
            Tag = Tag,
            Summary = "Tells who holds a resource. A name never used is free, with last token 0.",
            Reply = typeof(LeaseInfo),
            Refusals = Always,
            Parameters =
            [
                Contract.Resource,
                Contract.Query("consistent", typeof(bool), "Checks the stored version first, so that the answer is never older than the call."),
            ],
        });
        endpoints.MapGet(History, history).WithContract(history, new Contract("getLeaseHistory")
        {
            Tag = Tag,
            Summary = "Tells who held a resource, from when, and why it ended; newest last.",
            Reply = typeof(LeaseHistory),
            Refusals = Always,
            Parameters = [Contract.Resource],
        });

        // A resource may be named like a change, so that the same path takes both methods.
        endpoints.MapOtherMethods(Named, context =>
            context.Request.RouteValues["resource"] is string name && changing.Contains(name) ? "GET, POST" : "GET");
        endpoints.MapOtherMethods(History, _ => "GET");
    }
}
