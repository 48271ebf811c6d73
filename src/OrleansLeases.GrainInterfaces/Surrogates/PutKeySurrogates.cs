namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyLease"), Immutable]
internal struct KeyLeaseSurrogate
{
    [Id(0)] public string Resource;
    [Id(1)] public string Owner;
    [Id(2)] public long Token;
}

[RegisterConverter]
internal sealed class KeyLeaseConverter : IConverter<KeyLease, KeyLeaseSurrogate>
{
    public KeyLease ConvertFromSurrogate(in KeyLeaseSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource,
        Owner = surrogate.Owner,
        Token = surrogate.Token,
    };

    public KeyLeaseSurrogate ConvertToSurrogate(in KeyLease value) => new()
    {
        Resource = value.Resource,
        Owner = value.Owner,
        Token = value.Token,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.PutKeyRequest"), Immutable]
internal struct PutKeyRequestSurrogate
{
    [Id(0)] public string Value;
    [Id(1)] public KeyLease? Lease;
    [Id(2)] public long? IfVersion;
    [Id(3)] public string? RequestId;
}

[RegisterConverter]
internal sealed class PutKeyRequestConverter : IConverter<PutKeyRequest, PutKeyRequestSurrogate>
{
    public PutKeyRequest ConvertFromSurrogate(in PutKeyRequestSurrogate surrogate) => new()
    {
        Value = surrogate.Value,
        Lease = surrogate.Lease,
        IfVersion = surrogate.IfVersion,
        RequestId = surrogate.RequestId,
    };

    public PutKeyRequestSurrogate ConvertToSurrogate(in PutKeyRequest value) => new()
    {
        Value = value.Value,
        Lease = value.Lease,
        IfVersion = value.IfVersion,
        RequestId = value.RequestId,
    };
}

[GenerateSerializer, Alias("OrleansLeases.Surrogates.KeyPut"), Immutable]
internal struct KeyPutSurrogate
{
    [Id(0)] public string Key;
    [Id(1)] public long Version;
}

[RegisterConverter]
internal sealed class KeyPutConverter : IConverter<KeyPut, KeyPutSurrogate>
{
    public KeyPut ConvertFromSurrogate(in KeyPutSurrogate surrogate) => new()
    {
        Key = surrogate.Key,
        Version = surrogate.Version,
    };

    public KeyPutSurrogate ConvertToSurrogate(in KeyPut value) => new()
    {
        Key = value.Key,
        Version = value.Version,
    };
}
