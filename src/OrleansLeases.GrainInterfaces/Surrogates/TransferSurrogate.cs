namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.TransferRequest"), Immutable]
internal struct TransferRequestSurrogate
{
    [Id(0)] public string Resource;
    [Id(1)] public string Owner;
    [Id(2)] public long Token;
    [Id(3)] public string NewOwner;
    [Id(4)] public TimeSpan? Ttl;
    [Id(5)] public string? RequestId;
}

[RegisterConverter]
internal sealed class TransferRequestConverter : IConverter<TransferRequest, TransferRequestSurrogate>
{
    public TransferRequest ConvertFromSurrogate(in TransferRequestSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource,
        Owner = surrogate.Owner,
        Token = surrogate.Token,
        NewOwner = surrogate.NewOwner,
        Ttl = surrogate.Ttl,
        RequestId = surrogate.RequestId,
    };

    public TransferRequestSurrogate ConvertToSurrogate(in TransferRequest value) => new()
    {
        Resource = value.Resource,
        Owner = value.Owner,
        Token = value.Token,
        NewOwner = value.NewOwner,
        Ttl = value.Ttl,
        RequestId = value.RequestId,
    };
}
