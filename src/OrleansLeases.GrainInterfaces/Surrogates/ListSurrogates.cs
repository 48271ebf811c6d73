namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.ListLeasesRequest"), Immutable]
internal struct ListLeasesRequestSurrogate
{
    [Id(0)] public string? Prefix;
    [Id(1)] public string? Owner;
    [Id(2)] public LeaseFilter State;
    [Id(3)] public int PageSize;
    [Id(4)] public string? After;
}

[RegisterConverter]
internal sealed class ListLeasesRequestConverter : IConverter<ListLeasesRequest, ListLeasesRequestSurrogate>
{
    public ListLeasesRequest ConvertFromSurrogate(in ListLeasesRequestSurrogate surrogate) => new()
    {
        Prefix = surrogate.Prefix,
        Owner = surrogate.Owner,
        State = surrogate.State,
        PageSize = surrogate.PageSize,
        After = surrogate.After,
    };

    public ListLeasesRequestSurrogate ConvertToSurrogate(in ListLeasesRequest value) => new()
    {
        Prefix = value.Prefix,
        Owner = value.Owner,
        State = value.State,
        PageSize = value.PageSize,
        After = value.After,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.LeasePage"), Immutable]
internal struct LeasePageSurrogate
{
    [Id(0)] public LeaseInfo[] Leases;
    [Id(1)] public string? Next;
    [Id(2)] public DateTimeOffset AsOf;
}

[RegisterConverter]
internal sealed class LeasePageConverter : IConverter<LeasePage, LeasePageSurrogate>
{
    public LeasePage ConvertFromSurrogate(in LeasePageSurrogate surrogate) => new()
    {
        Leases = surrogate.Leases,
        Next = surrogate.Next,
        AsOf = surrogate.AsOf,
    };

    public LeasePageSurrogate ConvertToSurrogate(in LeasePage value) => new()
    {
        Leases = WireCollections.Array(value.Leases),
        Next = value.Next,
        AsOf = value.AsOf,
    };
}
