namespace OrleansLeases.Client.Tests;

/// <summary>One valid request of each kind, and the answer that belongs to it.</summary>
internal static class Requests
{
    public static readonly AcquireRequest Acquire = new()
    {
        Resource = "jobs/nightly", Owner = "ann", Ttl = TimeSpan.FromSeconds(30), RequestId = "r1",
    };
    public static readonly RenewRequest Renew = new() { Resource = "jobs/nightly", Owner = "ann", Token = 7 };
    public static readonly RenewBatchRequest RenewBatch = new() { Leases = [Renew, Renew with { Resource = "jobs/weekly", Token = 8 }] };
    public static readonly ReleaseRequest Release = new() { Resource = "jobs/nightly", Owner = "ann", Token = 7 };
    public static readonly TransferRequest Transfer = new()
    {
        Resource = "jobs/nightly", Owner = "ann", Token = 7, NewOwner = "bob", RequestId = "r1",
    };
    public static readonly BreakRequest Break = new()
    {
        Resource = "jobs/nightly", Grace = TimeSpan.FromSeconds(1), Reason = "stuck", RequestId = "r1",
    };

    public const string Grant =
        """{"resource":"jobs/nightly","owner":"ann","token":7,"mode":"exclusive","ttlMs":30000,"remainingMs":"""
        + """29990,"elapsedMs":12,"renewAfterMs":10000,"requestId":"r1","replayed":false}""";

    public const string Renewal =
        """{"resource":"jobs/nightly","token":7,"ttlMs":30000,"remainingMs":29990,"elapsedMs":0,"renewAfterMs":10000}""";

    public const string Info =
        """{"resource":"jobs/nightly","state":"held","holders":[{"owner":"ann","token":7,"mode":"exclusive","ttlMs":"""
        + """30000,"remainingMs":12,"metadata":{},"keys":[]}],"availableInMs":12,"lastToken":7,"waiters":0,"sequence":9}""";

    /// <summary>Every change by name, for theories: what is called, and the request id its refusal must carry.</summary>
    public static TheoryData<string, string?> Changes => new()
    {
        { "acquire", "r1" }, { "renew", null }, { "renew-batch", null }, { "release", null }, { "transfer", "r1" }, { "break", "r1" },
        { "put-key", "r1" }, { "delete-key", null }, { "add", "r1" },
    };

    public static TheoryData<string> Reads => ["get", "list", "history", "get-key", "list-keys", "watch", "info"];

    public static async Task<Refusal?> CallAsync(
        string verb, ILeaseService service, CancellationToken cancellationToken = default) => verb switch
    {
        "acquire" => (await service.AcquireAsync(Acquire, cancellationToken)).Refusal,
        "renew" => (await service.RenewAsync(Renew, cancellationToken)).Refusal,
        "renew-batch" => (await service.RenewBatchAsync(RenewBatch, cancellationToken)).Refusal,
        "release" => (await service.ReleaseAsync(Release, cancellationToken)).Refusal,
        "transfer" => (await service.TransferAsync(Transfer, cancellationToken)).Refusal,
        "break" => (await service.BreakAsync(Break, cancellationToken)).Refusal,
        "get" => (await service.GetAsync(new() { Resource = "jobs/nightly" }, cancellationToken)).Refusal,
        "list" => (await service.ListAsync(new(), cancellationToken)).Refusal,
        "history" => (await service.HistoryAsync("jobs/nightly", cancellationToken)).Refusal,
        "put-key" => (await service.PutKeyAsync("jobs/nightly", new() { Value = "x", RequestId = "r1" }, cancellationToken)).Refusal,
        "get-key" => (await service.GetKeyAsync("jobs/nightly", cancellationToken)).Refusal,
        "delete-key" => (await service.DeleteKeyAsync("jobs/nightly", 3, cancellationToken)).Refusal,
        "add" => (await service.AddToCounterAsync("jobs/nightly", new() { Delta = 1, RequestId = "r1" }, cancellationToken)).Refusal,
        "list-keys" => (await service.ListKeysAsync(new() { Prefix = "a", PageSize = 7, After = "a/b" }, cancellationToken)).Refusal,
        "watch" => (await service.WatchAsync(new() { Key = "jobs/nightly", Since = new(3, 5) }, cancellationToken)).Refusal,
        "info" => (await service.InfoAsync(cancellationToken)).Refusal,
        _ => throw new ArgumentOutOfRangeException(nameof(verb), verb, "There is no such call."),
    };
}
