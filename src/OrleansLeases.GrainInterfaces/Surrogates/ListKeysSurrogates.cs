namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.ListKeysRequest"), Immutable]
internal struct ListKeysRequestSurrogate
{
    [Id(0)] public string? Prefix;
    [Id(1)] public int PageSize;
    [Id(2)] public string? After;
}

[RegisterConverter]
internal sealed class ListKeysRequestConverter : IConverter<ListKeysRequest, ListKeysRequestSurrogate>
{
    public ListKeysRequest ConvertFromSurrogate(in ListKeysRequestSurrogate surrogate) => new()
    {
        Prefix = surrogate.Prefix,
        PageSize = surrogate.PageSize,
        After = surrogate.After,
    };

    public ListKeysRequestSurrogate ConvertToSurrogate(in ListKeysRequest value) => new()
    {
        Prefix = value.Prefix,
        PageSize = value.PageSize,
        After = value.After,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyPage"), Immutable]
internal struct KeyPageSurrogate
{
    [Id(0)] public KeyValue[] Keys;
    [Id(1)] public string? Next;
}

[RegisterConverter]
internal sealed class KeyPageConverter : IConverter<KeyPage, KeyPageSurrogate>
{
    public KeyPage ConvertFromSurrogate(in KeyPageSurrogate surrogate) => new()
    {
        Keys = surrogate.Keys,
        Next = surrogate.Next,
    };

    public KeyPageSurrogate ConvertToSurrogate(in KeyPage value) => new()
    {
        Keys = WireCollections.Array(value.Keys),
        Next = value.Next,
    };
}
