using System.Text.Json.Serialization;

namespace OrleansLeases;

/// <summary>Why a request was refused. The numbers are part of the contract and never change.</summary>
public enum RefusalCode
{
    /// <summary>Malformed, out of bounds or unknown field. HTTP 400.</summary>
    InvalidRequest = 1,

    /// <summary>No credential, or a wrong one. HTTP 401.</summary>
    Unauthorized = 2,

    /// <summary>Not allowed for this name. HTTP 403.</summary>
    Forbidden = 3,

    /// <summary>No such key. HTTP 404.</summary>
    NotFound = 4,

    /// <summary>Taken, full or delayed. HTTP 409.</summary>
    Held = 5,

    /// <summary>Not, or no longer, the holder. HTTP 409.</summary>
    NotHolder = 6,

    /// <summary>A version, request id or capacity that does not match. HTTP 409.</summary>
    Conflict = 7,

    /// <summary>A bound of the service. HTTP 429.</summary>
    LimitReached = 8,

    /// <summary>It is not known whether the change was stored. HTTP 503.</summary>
    OutcomeUnknown = 9,

    /// <summary>Not ready, or shutting down. HTTP 503.</summary>
    Unavailable = 10,
}

/// <summary>Why an owner does not, or no longer, hold a lease.</summary>
[JsonConverter(typeof(KebabCaseEnumConverter<NotHolderReason>))]
public enum NotHolderReason
{
    /// <summary>The deadline passed.</summary>
    Expired = 1,

    /// <summary>The holder released it.</summary>
    Released = 2,

    /// <summary>The holder handed it to another owner.</summary>
    Transferred = 3,

    /// <summary>It was broken.</summary>
    Broken = 4,

    /// <summary>It has ended, and the history no longer contains how.</summary>
    Superseded = 5,

    /// <summary>This owner was never granted this token.</summary>
    NeverHeld = 6,
}

/// <summary>
/// Why a request was not fulfilled: a closed set. As JSON it is an <c>application/problem+json</c> body.
/// </summary>
[JsonConverter(typeof(RefusalConverter))]
public abstract record Refusal
{
    private protected Refusal(RefusalCode code, string detail) => (Code, Detail) = (code, detail);

    /// <summary>Which kind of refusal this is.</summary>
    public RefusalCode Code { get; }

    /// <summary>A sentence for people that names the field, its value and the remedy.</summary>
    public string Detail { get; init; }

    /// <summary>The request is malformed. Nothing was changed; repeating it will not help.</summary>
    /// <param name="Errors">By field name, as on the wire, what is wrong with it and what it takes.</param>
    /// <param name="Detail">All of it in a sentence.</param>
    public sealed record InvalidRequest(IReadOnlyDictionary<string, string[]> Errors, string Detail)
        : Refusal(RefusalCode.InvalidRequest, Detail);

    /// <summary>The caller has no credential, or a wrong one.</summary>
    /// <param name="Detail">What is missing.</param>
    public sealed record Unauthorized(string Detail) : Refusal(RefusalCode.Unauthorized, Detail);

    /// <summary>The caller may not do this with this name.</summary>
    /// <param name="Detail">What is not allowed.</param>
    public sealed record Forbidden(string Detail) : Refusal(RefusalCode.Forbidden, Detail);

    /// <summary>There is no such key.</summary>
    /// <param name="Detail">The name of the key.</param>
    public sealed record NotFound(string Detail) : Refusal(RefusalCode.NotFound, Detail);

    /// <summary>
    /// The resource is taken, full or delayed (<see cref="LeaseStatus.Delayed"/>), or the queue is ahead of this request.
    /// </summary>
    /// <param name="Holders">The current holders; empty where the resource is delayed.</param>
    /// <param name="SameOwner">Whether the owner of the request is one of them.</param>
    /// <param name="Position">The position in the queue, from 1, that this request has or would get.</param>
    /// <param name="RetryAfter">How long to wait before a retry; 0 where the request waited in the queue.</param>
    /// <param name="Detail">All of it in a sentence.</param>
    public sealed record Held(IReadOnlyList<CurrentHolder> Holders, bool SameOwner, int Position, TimeSpan RetryAfter, string Detail)
        : Refusal(RefusalCode.Held, Detail);

    /// <summary>The caller is not, or no longer, the holder.</summary>
    /// <param name="Reason">How the lease ended.</param>
    /// <param name="LastToken">The highest token ever granted for this resource.</param>
    /// <param name="Detail">All of it in a sentence.</param>
    public sealed record NotHolder(NotHolderReason Reason, long LastToken, string Detail)
        : Refusal(RefusalCode.NotHolder, Detail);

    /// <summary>A version, request id, capacity or value does not match. Nothing was changed.</summary>
    /// <param name="Current">What is in force: the version or the capacity; absent where it is neither, or unlimited.</param>
    /// <param name="Detail">What does not match.</param>
    public sealed record Conflict(long? Current, string Detail) : Refusal(RefusalCode.Conflict, Detail);

    /// <summary>A bound of the service was hit. Nothing was changed.</summary>
    /// <param name="Limit">The name of the bound.</param>
    /// <param name="RetryAfter">How long to wait before a retry.</param>
    /// <param name="Detail">The bound and its value.</param>
    public sealed record LimitReached(string Limit, TimeSpan RetryAfter, string Detail)
        : Refusal(RefusalCode.LimitReached, Detail);

    /// <summary>It is not known whether the change was stored. Repeat the call with this request id to find out.</summary>
    /// <param name="RequestId">The id to repeat; absent for renew and release, which are idempotent by their token.</param>
    /// <param name="Detail">What to do.</param>
    public sealed record OutcomeUnknown(string? RequestId, string Detail) : Refusal(RefusalCode.OutcomeUnknown, Detail);

    /// <summary>The service is not ready. Nothing was changed.</summary>
    /// <param name="RetryAfter">How long to wait before a retry.</param>
    /// <param name="Detail">Why.</param>
    public sealed record Unavailable(TimeSpan RetryAfter, string Detail) : Refusal(RefusalCode.Unavailable, Detail);
}

/// <summary>A current holder, in the refusal of another request.</summary>
public sealed record CurrentHolder
{
    /// <summary>Who holds.</summary>
    public required string Owner { get; init; }

    /// <summary>How it is held.</summary>
    public required LeaseMode Mode { get; init; }

    /// <summary>What is left at most if the holder does not renew.</summary>
    [JsonPropertyName("remainingMs")]
    public required TimeSpan Remaining { get; init; }
}
