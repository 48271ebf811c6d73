namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.AcquireRequest"), Immutable]
internal struct AcquireRequestSurrogate
{
    [Id(0)] public string Resource;
    [Id(1)] public string Owner;
    [Id(2)] public TimeSpan Ttl;
    [Id(3)] public LeaseMode Mode;
    [Id(4)] public int? Capacity;
    [Id(5)] public TimeSpan Wait;
    [Id(6)] public TimeSpan LockDelay;
    [Id(7)] public Dictionary<string, string>? Metadata;
    [Id(8)] public string? RequestId;
}

[RegisterConverter]
internal sealed class AcquireRequestConverter : IConverter<AcquireRequest, AcquireRequestSurrogate>
{
    public AcquireRequest ConvertFromSurrogate(in AcquireRequestSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource,
        Owner = surrogate.Owner,
        Ttl = surrogate.Ttl,
        Mode = surrogate.Mode,
        Capacity = surrogate.Capacity,
        Wait = surrogate.Wait,
        LockDelay = surrogate.LockDelay,
        Metadata = surrogate.Metadata,
        RequestId = surrogate.RequestId,
    };

    public AcquireRequestSurrogate ConvertToSurrogate(in AcquireRequest value) => new()
    {
        Resource = value.Resource,
        Owner = value.Owner,
        Ttl = value.Ttl,
        Mode = value.Mode,
        Capacity = value.Capacity,
        Wait = value.Wait,
        LockDelay = value.LockDelay,
        Metadata = WireCollections.Dictionary(value.Metadata),
        RequestId = value.RequestId,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseGrant"), Immutable]
internal struct LeaseGrantSurrogate
{
    [Id(0)] public string Resource;
    [Id(1)] public string Owner;
    [Id(2)] public long Token;
    [Id(3)] public LeaseMode Mode;
    [Id(4)] public TimeSpan Ttl;
    [Id(5)] public TimeSpan Remaining;
    [Id(6)] public TimeSpan Elapsed;
    [Id(7)] public TimeSpan RenewAfter;
    [Id(8)] public string RequestId;
    [Id(9)] public bool Replayed;
}

[RegisterConverter]
internal sealed class LeaseGrantConverter : IConverter<LeaseGrant, LeaseGrantSurrogate>
{
    public LeaseGrant ConvertFromSurrogate(in LeaseGrantSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource,
        Owner = surrogate.Owner,
        Token = surrogate.Token,
        Mode = surrogate.Mode,
        Ttl = surrogate.Ttl,
        Remaining = surrogate.Remaining,
        Elapsed = surrogate.Elapsed,
        RenewAfter = surrogate.RenewAfter,
        RequestId = surrogate.RequestId,
        Replayed = surrogate.Replayed,
    };

    public LeaseGrantSurrogate ConvertToSurrogate(in LeaseGrant value) => new()
    {
        Resource = value.Resource,
        Owner = value.Owner,
        Token = value.Token,
        Mode = value.Mode,
        Ttl = value.Ttl,
        Remaining = value.Remaining,
        Elapsed = value.Elapsed,
        RenewAfter = value.RenewAfter,
        RequestId = value.RequestId,
        Replayed = value.Replayed,
    };
}
