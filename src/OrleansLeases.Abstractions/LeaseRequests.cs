using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>How a resource is held.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<LeaseMode>))]
public enum LeaseMode
{
    /// <summary>One holder: a lock. Its token is a fence. The default.</summary>
    Exclusive = 0,

    /// <summary>Many holders: readers, or a semaphore where a capacity is named. Tokens are identities, not fences.</summary>
    Shared = 1,
}

/// <summary>Which leases a listing shows.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<LeaseFilter>))]
public enum LeaseFilter
{
    /// <summary>Resources with a holder. The default.</summary>
    Held = 0,

    /// <summary>Resources without one.</summary>
    Free = 1,

    /// <summary>Every resource ever used.</summary>
    Any = 2,
}

/// <summary>A request to acquire a lease. Immutable, as all requests are.</summary>
public sealed record AcquireRequest
{
    /// <summary>The resource: 1 to 512 bytes of UTF-8, a path of segments joined by <c>/</c>, none empty, <c>.</c> or <c>..</c>.</summary>
    public required string Resource { get; init; }

    /// <summary>The name to hold the lease under: 1 to 512 bytes of UTF-8 without control characters.</summary>
    public required string Owner { get; init; }

    /// <summary>The time to live: 100 ms to 24 h unless the service is configured otherwise.</summary>
    [JsonPropertyName("ttlMs")]
    public required TimeSpan Ttl { get; init; }

    /// <summary>Exclusive by default.</summary>
    public LeaseMode Mode { get; init; }

    /// <summary>For shared leases, how many may hold at once: 1 to 1,000; null for any number.</summary>
    public int? Capacity { get; init; }

    /// <summary>
    /// How long this call waits in the queue: 0 (the default) to 25 s. Repeat the request id to keep the position in the queue.
    /// </summary>
    [JsonPropertyName("waitMs")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public TimeSpan Wait { get; init; }

    /// <summary>
    /// For exclusive leases, how long other owners wait after this lease expires or is broken by force:
    /// 0 (the default) to 24 h. A release frees the resource at once.
    /// </summary>
    [JsonPropertyName("lockDelayMs")]
    public TimeSpan LockDelay { get; init; }

    /// <summary>
    /// For exclusive leases, how long after this grant other owners wait, however early the lease is released or ends, also by a break
    /// with force: 0 (the default) to 24 h. For jobs that end in a moment, and hosts whose clocks differ. A transfer hands it on.
    /// </summary>
    [JsonPropertyName("holdAtLeastMs")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public TimeSpan HoldAtLeast { get; init; }

    /// <summary>
    /// Asks for a proof of the token. A server that is reached by HTTP makes it, for an acquire that is a call of its own; everywhere
    /// else, and in a batch, it is <c>invalid-request</c>. False by default.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool Proof { get; init; }

    /// <summary>Returned to every caller that reads the lease: at most 16 entries, 2 KiB of UTF-8 together. None by default.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>
    /// 1 to 128 bytes of UTF-8: a request with the same id is applied once. Left out, the service makes one and returns it.
    /// </summary>
    public string? RequestId { get; init; }
}

/// <summary>A request to renew a lease.</summary>
public sealed record RenewRequest
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The holder.</summary>
    public required string Owner { get; init; }

    /// <summary>The token of the grant.</summary>
    public required long Token { get; init; }

    /// <summary>A new time to live, 100 ms to 24 h; null keeps the one in force.</summary>
    [JsonPropertyName("ttlMs")]
    public TimeSpan? Ttl { get; init; }
}

/// <summary>A request to renew many leases.</summary>
public sealed record RenewBatchRequest
{
    /// <summary>1 to 1,000 leases, unless the limits of the service say otherwise.</summary>
    public required IReadOnlyList<RenewRequest> Leases { get; init; }
}

/// <summary>A request to release a lease.</summary>
public sealed record ReleaseRequest
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The holder.</summary>
    public required string Owner { get; init; }

    /// <summary>The token of the grant.</summary>
    public required long Token { get; init; }
}

/// <summary>A request to transfer a lease to another owner.</summary>
public sealed record TransferRequest
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The holder.</summary>
    public required string Owner { get; init; }

    /// <summary>The token of the grant, which this ends.</summary>
    public required long Token { get; init; }

    /// <summary>The next holder: 1 to 512 bytes of UTF-8 without control characters.</summary>
    public required string NewOwner { get; init; }

    /// <summary>A new time to live, 100 ms to 24 h; null keeps the one in force.</summary>
    [JsonPropertyName("ttlMs")]
    public TimeSpan? Ttl { get; init; }

    /// <summary>As for an acquire.</summary>
    public string? RequestId { get; init; }
}

/// <summary>A request to break leases.</summary>
public sealed record BreakRequest
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The token of the lease; required where the resource has several holders.</summary>
    public long? Token { get; init; }

    /// <summary>
    /// The notice: 0 to 24 h. Renewals extend the lease no further than that from now; without force it never ends before the last
    /// deadline that its holder received. The lease of a holder that stops renewing ends at its own deadline, however long the notice.
    /// </summary>
    [JsonPropertyName("graceMs")]
    public required TimeSpan Grace { get; init; }

    /// <summary>
    /// Ends the lease after the notice at the latest, even before the last deadline that its holder received. False by default. With
    /// force only fencing protects the resource.
    /// </summary>
    public bool Force { get; init; }

    /// <summary>Why, for the holder and the history: 1 to 512 bytes of UTF-8 without control characters.</summary>
    public required string Reason { get; init; }

    /// <summary>As for an acquire.</summary>
    public string? RequestId { get; init; }
}

/// <summary>A request to look at a resource.</summary>
public sealed record GetLeaseRequest
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>Compares with the store first, so that the response is never older than the call. False by default.</summary>
    public bool Consistent { get; init; }
}

/// <summary>A request to list resources.</summary>
public sealed record ListLeasesRequest
{
    /// <summary>Only names that start with this; null for all.</summary>
    public string? Prefix { get; init; }

    /// <summary>Only resources that this owner holds; null for all.</summary>
    public string? Owner { get; init; }

    /// <summary>Held by default.</summary>
    public LeaseFilter State { get; init; }

    /// <summary>How many at most: 1 to 1,000; 100 by default.</summary>
    public int PageSize { get; init; } = 100;

    /// <summary>The <see cref="LeasePage.Next"/> of the page before; null for the first page.</summary>
    public string? After { get; init; }
}
