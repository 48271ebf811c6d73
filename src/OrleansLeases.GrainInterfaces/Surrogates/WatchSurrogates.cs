namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.WatchPoint"), Immutable]
internal struct WatchPointSurrogate
{
    [Id(0)] public long Sequence;
    [Id(1)] public long? History;
}

[RegisterConverter]
internal sealed class WatchPointConverter : IConverter<WatchPoint, WatchPointSurrogate>
{
    public WatchPoint ConvertFromSurrogate(in WatchPointSurrogate surrogate) => new(surrogate.Sequence, surrogate.History);

    public WatchPointSurrogate ConvertToSurrogate(in WatchPoint value) => new() { Sequence = value.Sequence, History = value.History };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyInfo"), Immutable]
internal struct KeyInfoSurrogate
{
    [Id(0)] public string Key;
    [Id(1)] public long Version;
    [Id(2)] public string? Value;
    [Id(3)] public KeyLease? Lease;
}

[RegisterConverter]
internal sealed class KeyInfoConverter : IConverter<KeyInfo, KeyInfoSurrogate>
{
    public KeyInfo ConvertFromSurrogate(in KeyInfoSurrogate surrogate) => new()
    {
        Key = surrogate.Key,
        Version = surrogate.Version,
        Value = surrogate.Value,
        Lease = surrogate.Lease,
    };

    public KeyInfoSurrogate ConvertToSurrogate(in KeyInfo value) => new()
    {
        Key = value.Key,
        Version = value.Version,
        Value = value.Value,
        Lease = value.Lease,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyChange"), Immutable]
internal struct KeyChangeSurrogate
{
    [Id(0)] public string Key;
    [Id(1)] public long Version;
    [Id(2)] public KeyEventKind Kind;
    [Id(3)] public DateTimeOffset At;
    [Id(4)] public string? Value;
    [Id(5)] public KeyLease? Lease;
}

[RegisterConverter]
internal sealed class KeyChangeConverter : IConverter<KeyChange, KeyChangeSurrogate>
{
    public KeyChange ConvertFromSurrogate(in KeyChangeSurrogate surrogate) => new()
    {
        Key = surrogate.Key,
        Version = surrogate.Version,
        Kind = surrogate.Kind,
        At = surrogate.At,
        Value = surrogate.Value,
        Lease = surrogate.Lease,
    };

    public KeyChangeSurrogate ConvertToSurrogate(in KeyChange value) => new()
    {
        Key = value.Key,
        Version = value.Version,
        Kind = value.Kind,
        At = value.At,
        Value = value.Value,
        Lease = value.Lease,
    };
}
