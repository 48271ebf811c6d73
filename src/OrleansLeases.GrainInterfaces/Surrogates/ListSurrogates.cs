namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.ListLeasesRequest"), Immutable]
internal record struct ListLeasesRequestSurrogate(string? Prefix, string? Owner, LeaseFilter State, int PageSize, string? After);

[RegisterConverter]
internal sealed class ListLeasesRequestConverter : IConverter<ListLeasesRequest, ListLeasesRequestSurrogate>
{
    public ListLeasesRequest ConvertFromSurrogate(in ListLeasesRequestSurrogate surrogate) => new()
    {
        Prefix = surrogate.Prefix, Owner = surrogate.Owner, State = surrogate.State, PageSize = surrogate.PageSize,
        After = surrogate.After,
    };

    public ListLeasesRequestSurrogate ConvertToSurrogate(in ListLeasesRequest value) =>
        new(value.Prefix, value.Owner, value.State, value.PageSize, value.After);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeasePage"), Immutable]
internal record struct LeasePageSurrogate(LeaseInfo[] Leases, string? Next, DateTimeOffset AsOf);

[RegisterConverter]
internal sealed class LeasePageConverter : IConverter<LeasePage, LeasePageSurrogate>
{
    public LeasePage ConvertFromSurrogate(in LeasePageSurrogate surrogate) =>
        new() { Leases = surrogate.Leases, Next = surrogate.Next, AsOf = surrogate.AsOf };

    public LeasePageSurrogate ConvertToSurrogate(in LeasePage value) =>
        new(WireCollections.Array(value.Leases), value.Next, value.AsOf);
}
