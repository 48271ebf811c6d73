namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.AcquireRequest"), Immutable]
internal record struct AcquireRequestSurrogate(
    string Resource, string Owner, TimeSpan Ttl, LeaseMode Mode, int? Capacity, TimeSpan Wait, TimeSpan LockDelay,
    Dictionary<string, string>? Metadata, string? RequestId, bool Proof, TimeSpan HoldAtLeast);

[RegisterConverter]
internal sealed class AcquireRequestConverter : IConverter<AcquireRequest, AcquireRequestSurrogate>
{
    public AcquireRequest ConvertFromSurrogate(in AcquireRequestSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource, Owner = surrogate.Owner, Ttl = surrogate.Ttl, Mode = surrogate.Mode,
        Capacity = surrogate.Capacity, Wait = surrogate.Wait, LockDelay = surrogate.LockDelay, Metadata = surrogate.Metadata,
        RequestId = surrogate.RequestId, Proof = surrogate.Proof, HoldAtLeast = surrogate.HoldAtLeast,
    };

    public AcquireRequestSurrogate ConvertToSurrogate(in AcquireRequest value) => new(
        value.Resource, value.Owner, value.Ttl, value.Mode, value.Capacity, value.Wait, value.LockDelay,
        WireCollections.Dictionary(value.Metadata), value.RequestId, value.Proof, value.HoldAtLeast);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseGrant"), Immutable]
internal record struct LeaseGrantSurrogate(
    string Resource, string Owner, long Token, LeaseMode Mode, TimeSpan Ttl, TimeSpan Remaining, TimeSpan Elapsed,
    TimeSpan RenewAfter, string RequestId, bool Replayed, string? Proof);

[RegisterConverter]
internal sealed class LeaseGrantConverter : IConverter<LeaseGrant, LeaseGrantSurrogate>
{
    public LeaseGrant ConvertFromSurrogate(in LeaseGrantSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource, Owner = surrogate.Owner, Token = surrogate.Token, Mode = surrogate.Mode,
        Ttl = surrogate.Ttl, Remaining = surrogate.Remaining, Elapsed = surrogate.Elapsed, RenewAfter = surrogate.RenewAfter,
        RequestId = surrogate.RequestId, Replayed = surrogate.Replayed, Proof = surrogate.Proof,
    };

    public LeaseGrantSurrogate ConvertToSurrogate(in LeaseGrant value) => new(
        value.Resource, value.Owner, value.Token, value.Mode, value.Ttl, value.Remaining, value.Elapsed, value.RenewAfter,
        value.RequestId, value.Replayed, value.Proof);
}
