using System.Text.Json.Serialization.Metadata;

namespace OrleansLeases.Gateway.Json;

/// <summary>Reads the body of a call.</summary>
/// <typeparam name="T">What it is read into.</typeparam>
internal interface IBodyReader<T>
    where T : class
{
    /// <summary>Whether the request has an id, which the header <c>Idempotency-Key</c> may give as well.</summary>
    bool TakesRequestId { get; }

    /// <summary>Reads the object that the reader has stepped into.</summary>
    /// <returns>What the body says, of use only where the reader has no errors.</returns>
    T Read(ref FieldReader body);
}

/// <summary>Reads the body of a call into its request.</summary>
/// <typeparam name="T">The request.</typeparam>
internal sealed class BodyReader<T> : IBodyReader<T>
    where T : class
{
    private readonly ObjectReader<T> _request;
    private readonly Func<object, object?>? _getRequestId;
    private readonly Action<T, string?>? _setRequestId;

    /// <param name="contract">The contract of the request.</param>
    public BodyReader(JsonTypeInfo<T> contract)
    {
        _request = new ObjectReader<T>(contract);
        if (contract.Properties.FirstOrDefault(property => property.Name == FieldReader.RequestId) is not { } requestId) return;
        _getRequestId = requestId.Get;
        _setRequestId = ObjectReader<T>.DelegateOf<string?>(requestId);
    }

    /// <inheritdoc/>
    public bool TakesRequestId => _setRequestId is not null;

    /// <summary>The id of a request; null where it has none.</summary>
    public string? RequestIdOf(T request) => (string?)_getRequestId?.Invoke(request);

    /// <inheritdoc/>
    public T Read(ref FieldReader body)
    {
        var request = _request.Read(ref body);
        _setRequestId?.Invoke(request, body.OrIdempotencyKey(RequestIdOf(request)));
        return request;
    }
}
