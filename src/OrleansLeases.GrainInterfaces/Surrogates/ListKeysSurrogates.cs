namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.ListKeysRequest"), Immutable]
internal record struct ListKeysRequestSurrogate(string? Prefix, int PageSize, string? After);

[RegisterConverter]
internal sealed class ListKeysRequestConverter : IConverter<ListKeysRequest, ListKeysRequestSurrogate>
{
    public ListKeysRequest ConvertFromSurrogate(in ListKeysRequestSurrogate surrogate) =>
        new() { Prefix = surrogate.Prefix, PageSize = surrogate.PageSize, After = surrogate.After };

    public ListKeysRequestSurrogate ConvertToSurrogate(in ListKeysRequest value) =>
        new(value.Prefix, value.PageSize, value.After);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyPage"), Immutable]
internal record struct KeyPageSurrogate(KeyValue[] Keys, string? Next);

[RegisterConverter]
internal sealed class KeyPageConverter : IConverter<KeyPage, KeyPageSurrogate>
{
    public KeyPage ConvertFromSurrogate(in KeyPageSurrogate surrogate) =>
        new() { Keys = surrogate.Keys, Next = surrogate.Next };

    public KeyPageSurrogate ConvertToSurrogate(in KeyPage value) => new(WireCollections.Array(value.Keys), value.Next);
}
