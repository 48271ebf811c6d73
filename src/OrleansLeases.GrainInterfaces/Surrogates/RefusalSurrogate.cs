namespace OrleansLeases.Surrogates;

/// <summary>Every case of <see cref="Refusal"/>: its code, and the fields of all of them.</summary>
[GenerateSerializer, Alias("OrleansLeases.Surrogates.Refusal"), Immutable, OmitDefaultMemberValues]
internal struct RefusalSurrogate
{
    [Id(0)] public RefusalCode Code;
    [Id(1)] public string Detail;
    [Id(2)] public Dictionary<string, string[]> Errors;
    [Id(3)] public CurrentHolder[] Holders;
    [Id(4)] public bool SameOwner;
    [Id(5)] public int Position;
    [Id(6)] public TimeSpan RetryAfter;
    [Id(7)] public NotHolderReason Reason;
    [Id(8)] public long LastToken;
    [Id(9)] public long? Current;
    [Id(10)] public string Limit;
    [Id(11)] public string? RequestId;

    public static RefusalSurrogate Of(Refusal refusal)
    {
        var surrogate = new RefusalSurrogate { Code = refusal.Code, Detail = refusal.Detail };
        switch (refusal)
        {
            case Refusal.InvalidRequest invalid:
                surrogate.Errors = WireCollections.Dictionary(invalid.Errors);
                break;
            case Refusal.Held held:
                surrogate.Holders = WireCollections.Array(held.Holders);
                surrogate.SameOwner = held.SameOwner;
                surrogate.Position = held.Position;
                surrogate.RetryAfter = held.RetryAfter;
                break;
            case Refusal.NotHolder notHolder:
                surrogate.Reason = notHolder.Reason;
                surrogate.LastToken = notHolder.LastToken;
                break;
            case Refusal.Conflict conflict:
                surrogate.Current = conflict.Current;
                break;
            case Refusal.LimitReached limit:
                surrogate.Limit = limit.Limit;
                surrogate.RetryAfter = limit.RetryAfter;
                break;
            case Refusal.OutcomeUnknown unknown:
                surrogate.RequestId = unknown.RequestId;
                break;
            case Refusal.Unavailable unavailable:
                surrogate.RetryAfter = unavailable.RetryAfter;
                break;
        }

        return surrogate;
    }

    /// <exception cref="NotSupportedException">A newer version sent a case that this one does not know.</exception>
    public readonly Refusal ToRefusal() => Code switch
    {
        RefusalCode.InvalidRequest => new Refusal.InvalidRequest(Errors, Detail),
        RefusalCode.Unauthorized => new Refusal.Unauthorized(Detail),
        RefusalCode.Forbidden => new Refusal.Forbidden(Detail),
        RefusalCode.NotFound => new Refusal.NotFound(Detail),
        RefusalCode.Held => new Refusal.Held(Holders, SameOwner, Position, RetryAfter, Detail),
        RefusalCode.NotHolder => new Refusal.NotHolder(Reason, LastToken, Detail),
        RefusalCode.Conflict => new Refusal.Conflict(Current, Detail),
        RefusalCode.LimitReached => new Refusal.LimitReached(Limit, RetryAfter, Detail),
        RefusalCode.OutcomeUnknown => new Refusal.OutcomeUnknown(RequestId, Detail),
        RefusalCode.Unavailable => new Refusal.Unavailable(RetryAfter, Detail),
        _ => throw new NotSupportedException(
            $"The request was refused with code {(int)Code}, which this version of OrleansLeases.GrainInterfaces does not know. "
            + $"A newer version sent it; update this one. It said: {Detail}"),
    };
}
