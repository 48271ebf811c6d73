namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyLease"), Immutable]
internal record struct KeyLeaseSurrogate(string Resource, string Owner, long Token);

[RegisterConverter]
internal sealed class KeyLeaseConverter : IConverter<KeyLease, KeyLeaseSurrogate>
{
    public KeyLease ConvertFromSurrogate(in KeyLeaseSurrogate surrogate) =>
        new() { Resource = surrogate.Resource, Owner = surrogate.Owner, Token = surrogate.Token };

    public KeyLeaseSurrogate ConvertToSurrogate(in KeyLease value) => new(value.Resource, value.Owner, value.Token);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.PutKeyRequest"), Immutable]
internal record struct PutKeyRequestSurrogate(string Value, KeyLease? Lease, long? IfVersion, string? RequestId, TimeSpan? Ttl);

[RegisterConverter]
internal sealed class PutKeyRequestConverter : IConverter<PutKeyRequest, PutKeyRequestSurrogate>
{
    public PutKeyRequest ConvertFromSurrogate(in PutKeyRequestSurrogate surrogate) => new()
    {
        Value = surrogate.Value, Lease = surrogate.Lease, IfVersion = surrogate.IfVersion, RequestId = surrogate.RequestId,
        Ttl = surrogate.Ttl,
    };

    public PutKeyRequestSurrogate ConvertToSurrogate(in PutKeyRequest value) =>
        new(value.Value, value.Lease, value.IfVersion, value.RequestId, value.Ttl);
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyPut"), Immutable]
internal record struct KeyPutSurrogate(string Key, long Version);

[RegisterConverter]
internal sealed class KeyPutConverter : IConverter<KeyPut, KeyPutSurrogate>
{
    public KeyPut ConvertFromSurrogate(in KeyPutSurrogate surrogate) =>
        new() { Key = surrogate.Key, Version = surrogate.Version };

    public KeyPutSurrogate ConvertToSurrogate(in KeyPut value) => new(value.Key, value.Version);
}
