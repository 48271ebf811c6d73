namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyValue"), Immutable]
internal struct KeyValueSurrogate
{
    [Id(0)] public string Key;
    [Id(1)] public string Value;
    [Id(2)] public long Version;
    [Id(3)] public KeyLease? Lease;
}

[RegisterConverter]
internal sealed class KeyValueConverter : IConverter<KeyValue, KeyValueSurrogate>
{
    public KeyValue ConvertFromSurrogate(in KeyValueSurrogate surrogate) => new()
    {
        Key = surrogate.Key,
        Value = surrogate.Value,
        Version = surrogate.Version,
        Lease = surrogate.Lease,
    };

    public KeyValueSurrogate ConvertToSurrogate(in KeyValue value) => new()
    {
        Key = value.Key,
        Value = value.Value,
        Version = value.Version,
        Lease = value.Lease,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyDeletion"), Immutable]
internal struct KeyDeletionSurrogate
{
    [Id(0)] public string Key;
    [Id(1)] public bool Existed;
}

[RegisterConverter]
internal sealed class KeyDeletionConverter : IConverter<KeyDeletion, KeyDeletionSurrogate>
{
    public KeyDeletion ConvertFromSurrogate(in KeyDeletionSurrogate surrogate) => new()
    {
        Key = surrogate.Key,
        Existed = surrogate.Existed,
    };

    public KeyDeletionSurrogate ConvertToSurrogate(in KeyDeletion value) => new()
    {
        Key = value.Key,
        Existed = value.Existed,
    };
}
