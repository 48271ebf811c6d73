namespace OrleansLeases.Core;

/// <summary>The verbs of the service.</summary>
internal static class Verbs
{
    public static readonly Verb<AcquireRequest, LeaseGrant> Acquire = new(
        "acquire",
        static (request, checks) => checks.Check(request),
        static (front, request, leaves) => front.Host.AcquireAsync(request, leaves))
    {
        IsChange = true,
        WaitsForLimits = true,
        Wait = static request => request.Wait,
        RequestId = new(static request => request.RequestId, static (request, id) => request with { RequestId = id }),
        Abandon = GiveBackAsync,
    };

    public static readonly Verb<RenewRequest, LeaseRenewal> Renew = new(
        "renew",
        static (request, checks) => checks.Check(request),
        static (front, request, _) => front.Host.RenewAsync(request))
    {
        IsChange = true,
    };

    public static readonly Verb<RenewBatchRequest, RenewBatchReply> RenewBatch = new(
        "renew-batch",
        static (request, checks) => checks.Check(request),
        static (front, request, _) => front.RenewEachAsync(request))
    {
        IsChange = true,
        IsAlwaysTaken = true,
        WaitsForLimits = true,
    };

    public static readonly Verb<ReleaseRequest, LeaseRelease> Release = new(
        "release",
        static (request, _) => RequestChecks.Check(request),
        static (front, request, _) => front.Host.ReleaseAsync(request))
    {
        IsChange = true,
        IsAlwaysTaken = true,
    };

    public static readonly Verb<TransferRequest, LeaseGrant> Transfer = new(
        "transfer",
        static (request, checks) => checks.Check(request),
        static (front, request, _) => front.Host.TransferAsync(request))
    {
        IsChange = true,
        WaitsForLimits = true,
        RequestId = new(static request => request.RequestId, static (request, id) => request with { RequestId = id }),
    };

    public static readonly Verb<BreakRequest, LeaseBreak> Break = new(
        "break",
        static (request, checks) => checks.Check(request),
        static (front, request, _) => front.Host.BreakAsync(request))
    {
        IsChange = true,
        WaitsForLimits = true,
        RequestId = new(static request => request.RequestId, static (request, id) => request with { RequestId = id }),
    };

    public static readonly Verb<GetLeaseRequest, LeaseInfo> Get = new(
        "get",
        static (request, _) => RequestChecks.Check(request),
        static (front, request, stop) => front.Host.GetAsync(request, stop));

    public static readonly Verb<ListLeasesRequest, LeasePage> List = new(
        "list",
        static (request, _) => RequestChecks.Check(request),
        static (front, request, stop) => front.Host.ListAsync(request, stop));

    public static readonly Verb<string, LeaseHistory> History = new(
        "history",
        static (resource, _) => RequestChecks.CheckResource(resource),
        static (front, resource, stop) => front.Host.HistoryAsync(resource, stop));

    public static readonly Verb<(string Key, PutKeyRequest Request), KeyPut> PutKey = new(
        "put-key",
        static (put, _) => RequestChecks.Check(put.Key, put.Request),
        static (front, put, _) => front.Host.PutKeyAsync(put.Key, put.Request))
    {
        IsChange = true,
        RequestId = new(static put => put.Request.RequestId, static (put, id) => (put.Key, put.Request with { RequestId = id })),
    };

    public static readonly Verb<string, KeyValue> GetKey = new(
        "get-key",
        static (key, _) => RequestChecks.CheckKey(key),
        static (front, key, stop) => front.Host.GetKeyAsync(key, stop));

    public static readonly Verb<(string Key, long? IfVersion), KeyDeletion> DeleteKey = new(
        "delete-key",
        static (delete, _) => RequestChecks.CheckKey(delete.Key, delete.IfVersion),
        static (front, delete, _) => front.Host.DeleteKeyAsync(delete.Key, delete.IfVersion))
    {
        IsChange = true,
    };

    public static readonly Verb<(string Key, AddToCounterRequest Request), CounterValue> AddToCounter = new(
        "add",
        static (add, _) => RequestChecks.Check(add.Key, add.Request),
        static (front, add, _) => front.Host.AddToCounterAsync(add.Key, add.Request))
    {
        IsChange = true,
        RequestId = new(static add => add.Request.RequestId, static (add, id) => (add.Key, add.Request with { RequestId = id })),
    };

    public static readonly Verb<ListKeysRequest, KeyPage> ListKeys = new(
        "list-keys",
        static (request, _) => RequestChecks.Check(request),
        static (front, request, stop) => front.Host.ListKeysAsync(request, stop));

    public static readonly Verb<WatchRequest, LeaseWatch> Watch = new(
        "watch",
        static (request, _) => RequestChecks.Check(request),
        static (front, request, _) => front.Host.WatchAsync(request))
    {
        Abandon = EndAsync,
    };

    public static readonly Verb<ValueTuple, ServiceInfo> Info = new(
        "info",
        static (_, _) => null,
        static (front, _, stop) => front.Host.InfoAsync(stop));

    /// <summary>Gives back what was granted behind a caller who has gone, unless a repeat of the request id has been answered with it.</summary>
    private static async Task GiveBackAsync(IServiceHost host, Task<LeaseResult<LeaseGrant>> answer)
    {
        if ((await answer.ConfigureAwait(false)).TryGetValue(out var grant, out _) && !grant.Replayed)
            await host.GiveBackAsync(grant).ConfigureAwait(false);
    }

    private static async Task EndAsync(IServiceHost host, Task<LeaseResult<LeaseWatch>> answer)
    {
        if ((await answer.ConfigureAwait(false)).TryGetValue(out var watch, out _)) watch.Dispose();
    }
}
