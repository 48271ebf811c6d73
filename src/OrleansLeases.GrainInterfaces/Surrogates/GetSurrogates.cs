namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.GetLeaseRequest"), Immutable]
internal record struct GetLeaseRequestSurrogate(string Resource, bool Consistent);

[RegisterConverter]
internal sealed class GetLeaseRequestConverter : IConverter<GetLeaseRequest, GetLeaseRequestSurrogate>
{
    public GetLeaseRequest ConvertFromSurrogate(in GetLeaseRequestSurrogate surrogate) =>
        new() { Resource = surrogate.Resource, Consistent = surrogate.Consistent };

    public GetLeaseRequestSurrogate ConvertToSurrogate(in GetLeaseRequest value) => new(value.Resource, value.Consistent);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseInfo"), Immutable]
internal record struct LeaseInfoSurrogate(
    string Resource, LeaseStatus State, LeaseHolder[] Holders, int? Capacity, TimeSpan? AvailableIn, long LastToken, int? Waiters,
    long Sequence, LeaseWaiter[]? Queue);

[RegisterConverter]
internal sealed class LeaseInfoConverter : IConverter<LeaseInfo, LeaseInfoSurrogate>
{
    public LeaseInfo ConvertFromSurrogate(in LeaseInfoSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource, State = surrogate.State, Holders = surrogate.Holders, Capacity = surrogate.Capacity,
        AvailableIn = surrogate.AvailableIn, LastToken = surrogate.LastToken, Waiters = surrogate.Waiters,
        Sequence = surrogate.Sequence, Queue = surrogate.Queue,
    };

    public LeaseInfoSurrogate ConvertToSurrogate(in LeaseInfo value) => new(
        value.Resource, value.State, WireCollections.Array(value.Holders), value.Capacity, value.AvailableIn, value.LastToken,
        value.Waiters, value.Sequence, value.Queue is { } queue ? WireCollections.Array(queue) : null);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseWaiter"), Immutable]
internal record struct LeaseWaiterSurrogate(string Owner, LeaseMode Mode, TimeSpan Waited);

[RegisterConverter]
internal sealed class LeaseWaiterConverter : IConverter<LeaseWaiter, LeaseWaiterSurrogate>
{
    public LeaseWaiter ConvertFromSurrogate(in LeaseWaiterSurrogate surrogate) =>
        new() { Owner = surrogate.Owner, Mode = surrogate.Mode, Waited = surrogate.Waited };

    public LeaseWaiterSurrogate ConvertToSurrogate(in LeaseWaiter value) => new(value.Owner, value.Mode, value.Waited);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeaseHolder"), Immutable]
internal record struct LeaseHolderSurrogate(
    string Owner, long Token, LeaseMode Mode, TimeSpan Ttl, TimeSpan Remaining, Dictionary<string, string> Metadata,
    string[] Keys);

[RegisterConverter]
internal sealed class LeaseHolderConverter : IConverter<LeaseHolder, LeaseHolderSurrogate>
{
    public LeaseHolder ConvertFromSurrogate(in LeaseHolderSurrogate surrogate) => new()
    {
        Owner = surrogate.Owner, Token = surrogate.Token, Mode = surrogate.Mode, Ttl = surrogate.Ttl,
        Remaining = surrogate.Remaining, Metadata = surrogate.Metadata, Keys = surrogate.Keys,
    };

    public LeaseHolderSurrogate ConvertToSurrogate(in LeaseHolder value) => new(
        value.Owner, value.Token, value.Mode, value.Ttl, value.Remaining, WireCollections.Dictionary(value.Metadata),
        WireCollections.Array(value.Keys));
}
