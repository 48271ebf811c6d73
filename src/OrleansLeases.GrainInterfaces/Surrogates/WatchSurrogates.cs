namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchPoint"), Immutable]
internal record struct WatchPointSurrogate(long Sequence, long? History);

[RegisterConverter]
internal sealed class WatchPointConverter : IConverter<WatchPoint, WatchPointSurrogate>
{
    public WatchPoint ConvertFromSurrogate(in WatchPointSurrogate surrogate) => new(surrogate.Sequence, surrogate.History);

    public WatchPointSurrogate ConvertToSurrogate(in WatchPoint value) => new(value.Sequence, value.History);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyInfo"), Immutable]
internal record struct KeyInfoSurrogate(string Key, long Version, string? Value, KeyLease? Lease);

[RegisterConverter]
internal sealed class KeyInfoConverter : IConverter<KeyInfo, KeyInfoSurrogate>
{
    public KeyInfo ConvertFromSurrogate(in KeyInfoSurrogate surrogate) =>
        new() { Key = surrogate.Key, Version = surrogate.Version, Value = surrogate.Value, Lease = surrogate.Lease };

    public KeyInfoSurrogate ConvertToSurrogate(in KeyInfo value) => new(value.Key, value.Version, value.Value, value.Lease);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyChange"), Immutable]
internal record struct KeyChangeSurrogate(
    string Key, long Version, KeyEventKind Kind, DateTimeOffset At, string? Value, KeyLease? Lease, string? Reason);

[RegisterConverter]
internal sealed class KeyChangeConverter : IConverter<KeyChange, KeyChangeSurrogate>
{
    public KeyChange ConvertFromSurrogate(in KeyChangeSurrogate surrogate) => new()
    {
        Key = surrogate.Key, Version = surrogate.Version, Kind = surrogate.Kind, At = surrogate.At, Value = surrogate.Value,
        Lease = surrogate.Lease, Reason = surrogate.Reason,
    };

    public KeyChangeSurrogate ConvertToSurrogate(in KeyChange value) =>
        new(value.Key, value.Version, value.Kind, value.At, value.Value, value.Lease, value.Reason);
}
