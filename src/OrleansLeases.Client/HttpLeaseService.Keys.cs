using OrleansLeases.Client.Internal;

namespace OrleansLeases.Client;

public sealed partial class HttpLeaseService
{
    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> or <paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(request);
        request = request with { RequestId = request.RequestId ?? RequestIds.New() };
        var reply = ReplyShape.Of(Wire.Json.KeyPut, put => put.Key == key && put.Version >= 1);
        return SendAsync(
            TextOf(key, request.Lease, request.RequestId).Field("value", request.Value),
            Post(
                $"v1/keys/{WirePath.Of(key)}", "key-put", request, Wire.Json.PutKeyRequest, reply, request.RequestId, key) with
            {
                Method = HttpMethod.Put,
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        return SendAsync(
            new TextCheck().Path("key", key),
            Get($"v1/keys/{WirePath.Of(key)}", ReplyShape.Of(Wire.Json.KeyValue, value => value.Key == key && Wire.Fits(value))) with
            {
                Operation = () => WireOperation.Of("key-get", [], key),
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(
        string key, long? ifVersion = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        var reply = ReplyShape.Of(Wire.Json.KeyDeletion, deletion => deletion.Key == key);
        var call = new HttpCall<KeyDeletion>(HttpMethod.Delete, WirePath.OfDelete(key, ifVersion), reply)
        {
            // Though an empty one: without any, the connection pool would repeat the request by itself.
            Body = _ => [],
            // It would delete what others put there meanwhile, and answer that there was nothing.
            Repeatable = false,
            Operation = () => WireOperation.OfDelete(key, ifVersion),
        };
        return SendAsync(new TextCheck().Path("key", key), call, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> or <paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(request);
        request = request with { RequestId = request.RequestId ?? RequestIds.New() };
        var reply = ReplyShape.Of(Wire.Json.CounterValue, counter => counter.Key == key && counter.Version >= 1);
        return SendAsync(
            TextOf(key, request.Lease, request.RequestId),
            Post(
                $"v1/counters/{WirePath.Of(key)}", "counter-add", request, Wire.Json.AddToCounterRequest, reply, request.RequestId, key),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return SendAsync(
            new TextCheck().Query("prefix", request.Prefix).Query("after", request.After),
            Get(WirePath.OfListing(request), ReplyShape.Of(Wire.Json.KeyPage, page => page.Keys.All(Wire.Fits))),
            cancellationToken);
    }

    private static TextCheck TextOf(string key, KeyLease? lease, string requestId) => new TextCheck()
        .Path("key", key)
        .Field("lease.resource", lease?.Resource)
        .Field("lease.owner", lease?.Owner)
        .Field("requestId", requestId);
}
