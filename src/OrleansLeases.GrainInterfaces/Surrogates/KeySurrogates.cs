namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyValue"), Immutable]
internal record struct KeyValueSurrogate(string Key, string Value, long Version, KeyLease? Lease);

[RegisterConverter]
internal sealed class KeyValueConverter : IConverter<KeyValue, KeyValueSurrogate>
{
    public KeyValue ConvertFromSurrogate(in KeyValueSurrogate surrogate) =>
        new() { Key = surrogate.Key, Value = surrogate.Value, Version = surrogate.Version, Lease = surrogate.Lease };

    public KeyValueSurrogate ConvertToSurrogate(in KeyValue value) => new(value.Key, value.Value, value.Version, value.Lease);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyDeletion"), Immutable]
internal record struct KeyDeletionSurrogate(string Key, bool Existed);

[RegisterConverter]
internal sealed class KeyDeletionConverter : IConverter<KeyDeletion, KeyDeletionSurrogate>
{
    public KeyDeletion ConvertFromSurrogate(in KeyDeletionSurrogate surrogate) =>
        new() { Key = surrogate.Key, Existed = surrogate.Existed };

    public KeyDeletionSurrogate ConvertToSurrogate(in KeyDeletion value) => new(value.Key, value.Existed);
}
