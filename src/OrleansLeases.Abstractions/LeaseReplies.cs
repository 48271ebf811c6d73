using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>A granted lease.</summary>
public sealed record LeaseGrant
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The holder.</summary>
    public required string Owner { get; init; }

    /// <summary>The fencing token: 1 to 2^53-1, greater than that of every earlier grant of this resource.</summary>
    public required long Token { get; init; }

    /// <summary>How it is held.</summary>
    public required LeaseMode Mode { get; init; }

    /// <summary>The time to live of this lease and of its renewals.</summary>
    [JsonPropertyName("ttlMs")]
    public required TimeSpan Ttl { get; init; }

    /// <summary>The time that was left when the service computed the response. It may be 0.</summary>
    [JsonPropertyName("remainingMs")]
    public required TimeSpan Remaining { get; init; }

    /// <summary>How long the service had the call before it computed the response. The deadline is send time + this + remaining.</summary>
    [JsonPropertyName("elapsedMs")]
    public required TimeSpan Elapsed { get; init; }

    /// <summary>When to renew, counted from the response.</summary>
    [JsonPropertyName("renewAfterMs")]
    public required TimeSpan RenewAfter { get; init; }

    /// <summary>The request id, the caller's own or the one the service made.</summary>
    public required string RequestId { get; init; }

    /// <summary>This grant was made for an earlier call with the same request id.</summary>
    public bool Replayed { get; init; }

    /// <summary>
    /// Where the request asked for it, what shows a resource that this token was granted, without asking the service: a compact JWS.
    /// Null otherwise. A replayed grant has a new one; a transferred lease has none.
    /// </summary>
    public string? Proof { get; init; }
}

/// <summary>A renewed lease.</summary>
public sealed record LeaseRenewal
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The token, which a renewal keeps.</summary>
    public required long Token { get; init; }

    /// <summary>The time to live in force.</summary>
    [JsonPropertyName("ttlMs")]
    public required TimeSpan Ttl { get; init; }

    /// <summary>The time that was left when the service computed the response. It may be 0.</summary>
    [JsonPropertyName("remainingMs")]
    public required TimeSpan Remaining { get; init; }

    /// <summary>How long the service had the call before it computed the response.</summary>
    [JsonPropertyName("elapsedMs")]
    public required TimeSpan Elapsed { get; init; }

    /// <summary>When to renew again, counted from the response.</summary>
    [JsonPropertyName("renewAfterMs")]
    public required TimeSpan RenewAfter { get; init; }

    /// <summary>Present while the lease is being broken: renewals extend it no further than the end in the notice.</summary>
    public BreakNotice? Breaking { get; init; }
}

/// <summary>Notifies a holder that its lease is being broken.</summary>
public sealed record BreakNotice
{
    /// <summary>The latest end of the lease, counted from the response. It ends earlier if it is not renewed.</summary>
    [JsonPropertyName("endsInMs")]
    public required TimeSpan EndsIn { get; init; }

    /// <summary>Why.</summary>
    public required string Reason { get; init; }
}

/// <summary>The responses to a batch of renewals.</summary>
public sealed record RenewBatchReply
{
    /// <summary>How long the service had the batch before it computed the first of its responses.</summary>
    [JsonPropertyName("elapsedMs")]
    public required TimeSpan Elapsed { get; init; }

    /// <summary>One for each lease, in the order of the request.</summary>
    public required IReadOnlyList<LeaseResult<LeaseRenewal>> Results { get; init; }
}

/// <summary>A released lease.</summary>
public sealed record LeaseRelease
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The token of the lease that ended.</summary>
    public required long Token { get; init; }

    /// <summary>It had been released before.</summary>
    public bool Replayed { get; init; }
}

/// <summary>A lease that is being broken, or was.</summary>
public sealed record LeaseBreak
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The token of the lease that ends.</summary>
    public required long Token { get; init; }

    /// <summary>The latest end of the lease, counted from the response; 0 where it has ended.</summary>
    [JsonPropertyName("endsInMs")]
    public required TimeSpan EndsIn { get; init; }
}

/// <summary>Whether a resource can be acquired.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<LeaseStatus>))]
public enum LeaseStatus
{
    /// <summary>Nobody holds it.</summary>
    Free = 0,

    /// <summary>It has a holder, or several.</summary>
    Held = 1,

    /// <summary>
    /// Nobody holds it, but other owners than its last one still wait: for the lock-delay of a lease that expired or was broken by
    /// force, or since the lease was to be held at least for longer.
    /// </summary>
    Delayed = 2,
}

/// <summary>The state of a resource.</summary>
public sealed record LeaseInfo
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>Whether it is held.</summary>
    public required LeaseStatus State { get; init; }

    /// <summary>The holders, in the order of their tokens.</summary>
    public required IReadOnlyList<LeaseHolder> Holders { get; init; }

    /// <summary>How many may hold at once, where a capacity is in force.</summary>
    public int? Capacity { get; init; }

    /// <summary>When another holder is admitted at the latest if none renews; absent where one is admitted now.</summary>
    [JsonPropertyName("availableInMs")]
    public TimeSpan? AvailableIn { get; init; }

    /// <summary>
    /// The highest token ever granted; 0 where there was none, or where the name was not in use for so long that its record was dropped.
    /// Never a fence by itself: the next token is higher than any before, whatever this says.
    /// </summary>
    public required long LastToken { get; init; }

    /// <summary>How many wait in the queue; absent in a listing.</summary>
    public int? Waiters { get; init; }

    /// <summary>The first 100 of them, in the order in which they will be served; absent where nobody waits, and in a listing.</summary>
    public IReadOnlyList<LeaseWaiter>? Queue { get; init; }

    /// <summary>The number of the last event.</summary>
    public required long Sequence { get; init; }
}

/// <summary>One place in the queue of a resource.</summary>
public sealed record LeaseWaiter
{
    /// <summary>Who waits.</summary>
    public required string Owner { get; init; }

    /// <summary>How it would hold.</summary>
    public required LeaseMode Mode { get; init; }

    /// <summary>For how long it has had the place.</summary>
    [JsonPropertyName("waitedMs")]
    public required TimeSpan Waited { get; init; }
}

/// <summary>One holder of a resource.</summary>
public sealed record LeaseHolder
{
    /// <summary>Who holds.</summary>
    public required string Owner { get; init; }

    /// <summary>The token of the grant.</summary>
    public required long Token { get; init; }

    /// <summary>How it is held.</summary>
    public required LeaseMode Mode { get; init; }

    /// <summary>The time to live.</summary>
    [JsonPropertyName("ttlMs")]
    public required TimeSpan Ttl { get; init; }

    /// <summary>The time that is left, at most, if the holder does not renew.</summary>
    [JsonPropertyName("remainingMs")]
    public required TimeSpan Remaining { get; init; }

    /// <summary>The metadata of the acquire request.</summary>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>The keys bound to this lease.</summary>
    public required IReadOnlyList<string> Keys { get; init; }
}

/// <summary>A page of leases.</summary>
public sealed record LeasePage
{
    /// <summary>The leases, in the byte order of their names.</summary>
    public required IReadOnlyList<LeaseInfo> Leases { get; init; }

    /// <summary>Pass it as <c>after</c> for the next page; absent on the last one.</summary>
    public string? Next { get; init; }

    /// <summary>When the page was read, by the service's clock. For people.</summary>
    public required DateTimeOffset AsOf { get; init; }
}

/// <summary>The stored events of a resource.</summary>
public sealed record LeaseHistory
{
    /// <summary>The resource.</summary>
    public required string Resource { get; init; }

    /// <summary>The number of the oldest event in the history; where there is none, the number the next one will have.</summary>
    public required long FirstSequence { get; init; }

    /// <summary>The events, newest last.</summary>
    public required IReadOnlyList<LeaseEvent> Events { get; init; }
}

/// <summary>The version, the engine and the bounds of a service. Immutable.</summary>
public sealed record ServiceInfo
{
    /// <summary>The version of the software.</summary>
    public required string Version { get; init; }

    /// <summary>
    /// Names the store, so that a client can tell that two of its addresses are two services. Made once at random. Null where the service
    /// was not asked by HTTP, or could not read it.
    /// </summary>
    public string? Service { get; init; }

    /// <summary><c>embedded-memory</c>, <c>embedded-sqlite</c> or <c>orleans</c>.</summary>
    public required string Engine { get; init; }

    /// <summary>Whether leases and keys survive a restart.</summary>
    public required bool Durable { get; init; }

    /// <summary>The restore epoch in the high bits of new tokens; 0 where none was ever set.</summary>
    public required int Epoch { get; init; }

    /// <summary>
    /// The longest time from the deadline of a lease until it can be granted to others, while the service is up, not counting its own
    /// lock-delay and hold-at-least.
    /// </summary>
    [JsonPropertyName("graceMs")]
    public required TimeSpan Grace { get; init; }

    /// <summary>
    /// How long a name is kept that is free, unbound and unwatched, where no other time is configured for its prefix: then the service may
    /// forget its history and the ids of its requests. Zero for ever, as in services of before.
    /// </summary>
    [JsonPropertyName("retainMs")]
    public TimeSpan Retain { get; init; }

    /// <summary>The bounds in force.</summary>
    public required LeaseLimits Limits { get; init; }
}
