namespace OrleansLeases.Surrogates;

[GenerateSerializer, Alias("OrleansLeases.Surrogates.TransferRequest"), Immutable]
internal record struct TransferRequestSurrogate(
    string Resource, string Owner, long Token, string NewOwner, TimeSpan? Ttl, string? RequestId);

[RegisterConverter]
internal sealed class TransferRequestConverter : IConverter<TransferRequest, TransferRequestSurrogate>
{
    public TransferRequest ConvertFromSurrogate(in TransferRequestSurrogate surrogate) => new()
    {
        Resource = surrogate.Resource, Owner = surrogate.Owner, Token = surrogate.Token, NewOwner = surrogate.NewOwner,
        Ttl = surrogate.Ttl, RequestId = surrogate.RequestId,
    };

    public TransferRequestSurrogate ConvertToSurrogate(in TransferRequest value) =>
        new(value.Resource, value.Owner, value.Token, value.NewOwner, value.Ttl, value.RequestId);
}
