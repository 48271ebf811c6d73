using OrleansLeases.Client.Internal;

namespace OrleansLeases.Client;

/// <summary>
/// A lease service at the other end of an <see cref="HttpClient"/>: each call is one HTTP request of the wire
/// contract, never repeated here. Safe for concurrent use.
/// </summary>
/// <remarks>
/// <para>What went wrong on the way is told as a refusal. A server that could not be reached at all, and a read
/// without an answer, are <see cref="Refusal.Unavailable"/>. A change that may have left without its answer coming
/// back is <see cref="Refusal.OutcomeUnknown"/> with the request id to repeat; so every call that takes a request id
/// gets one here where the caller left it out. An answer that is not the contract's, such as a proxy's error page,
/// counts as no answer.</para>
/// <para>Handlers put in front of the connection must not repeat a change by themselves: a connection refused at the
/// second attempt would hide that the first one may have been carried out.</para>
/// <para>Durations are sent as whole milliseconds, rounded down. The <see cref="HttpClient"/> stays the caller's: it
/// is neither changed nor disposed of.</para>
/// </remarks>
public sealed class HttpLeaseService : ILeaseService
{
    private static readonly TimeSpan ShortestClientTimeout = TimeSpan.FromSeconds(30);

    private readonly HttpExchange _exchange;
    private readonly TimeProvider _time;

    /// <summary>Calls the server at the client's base address.</summary>
    /// <param name="http">
    /// The client, with <see cref="HttpClient.BaseAddress"/> set. Its <see cref="HttpClient.Timeout"/> must leave
    /// room for a call that waits in line for 25 s; the default of 100 s does.
    /// </param>
    /// <param name="time">The clock of <see cref="CallTimeout"/>; the system's by default.</param>
    /// <exception cref="ArgumentNullException"><paramref name="http"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// There is no absolute http or https base address, or the client's timeout is below 30 s.
    /// </exception>
    public HttpLeaseService(HttpClient http, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(http);
        if (http.BaseAddress is not { IsAbsoluteUri: true, Scheme: "http" or "https" } address)
        {
            throw new ArgumentException(
                $"HttpClient.BaseAddress is '{http.BaseAddress}'; set it to the server's address, such as http://127.0.0.1:7400.",
                nameof(http));
        }

        if (http.Timeout != Timeout.InfiniteTimeSpan && http.Timeout < ShortestClientTimeout)
        {
            throw new ArgumentException(
                $"HttpClient.Timeout is {http.Timeout}, which would cut off calls that wait in line for 25 s; "
                + $"make it at least {ShortestClientTimeout} and bound calls with {nameof(CallTimeout)} or a cancellation token.",
                nameof(http));
        }

        _time = time ?? TimeProvider.System;
        _exchange = new(http, address, _time);
    }

    /// <summary>How long a call may take beyond the wait it asks for; after that its answer counts as lost.</summary>
    /// <value>15 s by default; <see cref="Timeout.InfiniteTimeSpan"/> leaves it to <see cref="HttpClient.Timeout"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor infinite, or above one day.</exception>
    public TimeSpan CallTimeout
    {
        get;
        init
        {
            if (value != Timeout.InfiniteTimeSpan && (value <= TimeSpan.Zero || value > TimeSpan.FromDays(1)))
                throw new ArgumentOutOfRangeException(nameof(value), value, $"{nameof(CallTimeout)} takes more than 0 up to one day, or Timeout.InfiniteTimeSpan.");
            field = value;
        }
    } = TimeSpan.FromSeconds(15);

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    public ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = request with { RequestId = request.RequestId ?? NewRequestId() };
        var text = new TextCheck()
            .Field("resource", request.Resource)
            .Field("owner", request.Owner)
            .Field("requestId", request.RequestId)
            .Field("metadata", request.Metadata);
        return ChangeAsync(
            text, HttpMethod.Post, "v1/leases/acquire", request.RequestId, HttpExchange.Json(request, Wire.Json.AcquireRequest),
            ReplyShape.Of(Wire.Json.LeaseGrant, grant => Wire.Fits(grant, request.Resource, request.Owner, request.RequestId)),
            request.Wait, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var text = new TextCheck().Field("resource", request.Resource).Field("owner", request.Owner);
        return ChangeAsync(
            text, HttpMethod.Post, "v1/leases/renew", null, HttpExchange.Json(request, Wire.Json.RenewRequest),
            ReplyShape.Of(Wire.Json.LeaseRenewal, renewal => Wire.Fits(renewal, request)),
            TimeSpan.Zero, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> or its list is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answers came.</exception>
    public ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(RenewBatchRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(request.Leases);
        var text = new TextCheck();
        for (var i = 0; i < request.Leases.Count; i++)
            text.Field($"leases[{i}].resource", request.Leases[i].Resource).Field($"leases[{i}].owner", request.Leases[i].Owner);
        return ChangeAsync(
            text, HttpMethod.Post, "v1/leases/renew-batch", null, HttpExchange.Json(request, Wire.Json.RenewBatchRequest),
            ReplyShape.Of(Wire.Json.RenewBatchReply, reply => Wire.Fits(reply, request)),
            TimeSpan.Zero, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var text = new TextCheck().Field("resource", request.Resource).Field("owner", request.Owner);
        return ChangeAsync(
            text, HttpMethod.Post, "v1/leases/release", null, HttpExchange.Json(request, Wire.Json.ReleaseRequest),
            ReplyShape.Of(Wire.Json.LeaseRelease, release => release.Resource == request.Resource && release.Token == request.Token),
            TimeSpan.Zero, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = request with { RequestId = request.RequestId ?? NewRequestId() };
        var text = new TextCheck()
            .Field("resource", request.Resource)
            .Field("owner", request.Owner)
            .Field("newOwner", request.NewOwner)
            .Field("requestId", request.RequestId);
        return ChangeAsync(
            text, HttpMethod.Post, "v1/leases/transfer", request.RequestId, HttpExchange.Json(request, Wire.Json.TransferRequest),
            ReplyShape.Of(Wire.Json.LeaseGrant, grant => Wire.Fits(grant, request.Resource, request.NewOwner, request.RequestId)),
            TimeSpan.Zero, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = request with { RequestId = request.RequestId ?? NewRequestId() };
        var text = new TextCheck()
            .Field("resource", request.Resource)
            .Field("reason", request.Reason)
            .Field("requestId", request.RequestId);
        return ChangeAsync(
            text, HttpMethod.Post, "v1/leases/break", request.RequestId, HttpExchange.Json(request, Wire.Json.BreakRequest),
            ReplyShape.Of(Wire.Json.LeaseBreak, reply => Wire.Fits(reply, request)),
            TimeSpan.Zero, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ReadAsync(
            new TextCheck().Path("resource", request.Resource),
            $"v1/leases/{WirePath.Of(request.Resource)}{(request.Fresh ? "?fresh=true" : "")}",
            ReplyShape.Of(Wire.Json.LeaseInfo, info => info.Resource == request.Resource && Wire.Fits(info)),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var text = new TextCheck()
            .Query("prefix", request.Prefix)
            .Query("owner", request.Owner)
            .Query("after", request.After);
        return ReadAsync(
            text, WirePath.OfListing(request),
            ReplyShape.Of(Wire.Json.LeasePage, page => page.Leases.All(Wire.Fits)),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="resource"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return ReadAsync(
            new TextCheck().Path("resource", resource),
            $"v1/history/{WirePath.Of(resource)}",
            ReplyShape.Of(Wire.Json.LeaseHistory, history => history.Resource == resource),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> or <paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(request);
        request = request with { RequestId = request.RequestId ?? NewRequestId() };
        return ChangeAsync(
            TextOf(key, request.Lease, request.RequestId).Field("value", request.Value), HttpMethod.Put, $"v1/keys/{WirePath.Of(key)}",
            request.RequestId, HttpExchange.Json(request, Wire.Json.PutKeyRequest),
            ReplyShape.Of(Wire.Json.KeyPut, put => put.Key == key && put.Version >= 1),
            TimeSpan.Zero, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        return ReadAsync(
            new TextCheck().Path("key", key), $"v1/keys/{WirePath.Of(key)}",
            ReplyShape.Of(Wire.Json.KeyValue, value => value.Key == key && Wire.Fits(value)),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(string key, long? ifVersion = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        // With a body, though an empty one: without any, the connection pool would repeat the request by itself.
        return ChangeAsync(
            new TextCheck().Path("key", key), HttpMethod.Delete, WirePath.OfDelete(key, ifVersion), null, new ByteArrayContent([]),
            ReplyShape.Of(Wire.Json.KeyDeletion, deletion => deletion.Key == key),
            TimeSpan.Zero, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="key"/> or <paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(string key, AddToCounterRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(request);
        request = request with { RequestId = request.RequestId ?? NewRequestId() };
        return ChangeAsync(
            TextOf(key, request.Lease, request.RequestId), HttpMethod.Post, $"v1/counters/{WirePath.Of(key)}",
            request.RequestId, HttpExchange.Json(request, Wire.Json.AddToCounterRequest),
            ReplyShape.Of(Wire.Json.CounterValue, counter => counter.Key == key && counter.Version >= 1),
            TimeSpan.Zero, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return ReadAsync(
            new TextCheck().Query("prefix", request.Prefix).Query("after", request.After), WirePath.OfListing(request),
            ReplyShape.Of(Wire.Json.KeyPage, page => page.Keys.All(Wire.Fits)),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Where the connection breaks, it connects again for as long as the watch is enumerated: of a resource or key it goes
    /// on after the last event told, of a prefix it says <see cref="WatchEvent.Resync"/>. The enumeration ends by
    /// cancellation only, or throws an <see cref="InvalidOperationException"/> where the server refuses for good to go on.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the watch was started.</exception>
    public async ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var text = new TextCheck().Query("resource", request.Resource).Query("key", request.Key).Query("prefix", request.Prefix);
        if (text.Refusal is { } refusal) return refusal;
        return await new HttpWatch(_exchange, request, LimitOf(TimeSpan.Zero), _time).StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
        ReadAsync(new TextCheck(), "v1/info", ReplyShape.Of(Wire.Json.ServiceInfo, info => info.Grace >= TimeSpan.Zero), cancellationToken);

    private static TextCheck TextOf(string key, KeyLease? lease, string requestId) => new TextCheck()
        .Path("key", key)
        .Field("lease.resource", lease?.Resource)
        .Field("lease.owner", lease?.Owner)
        .Field("requestId", requestId);

    private static string NewRequestId() => Guid.NewGuid().ToString("N");

    private async ValueTask<LeaseResult<T>> ChangeAsync<T>(
        TextCheck text, HttpMethod method, string path, string? requestId, HttpContent body, ReplyShape<T> shape, TimeSpan wait, CancellationToken cancellationToken)
        where T : class
    {
        if (text.Refusal is { } refusal) return refusal;
        return await _exchange.SendAsync(
            method, path, body, shape, LimitOf(wait),
            detail => new Refusal.OutcomeUnknown(requestId, detail), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<LeaseResult<T>> ReadAsync<T>(
        TextCheck text, string path, ReplyShape<T> shape, CancellationToken cancellationToken)
        where T : class
    {
        if (text.Refusal is { } refusal) return refusal;
        return await _exchange.SendAsync(
            HttpMethod.Get, path, body: null, shape, LimitOf(TimeSpan.Zero),
            detail => new Refusal.Unavailable(HttpExchange.TryAgainAfter, detail), cancellationToken).ConfigureAwait(false);
    }

    // A wait out of bounds is the server's to refuse; it must not break the time limit here.
    private TimeSpan LimitOf(TimeSpan wait) => CallTimeout == Timeout.InfiniteTimeSpan
        ? CallTimeout
        : CallTimeout + TimeSpan.FromTicks(Math.Clamp(wait.Ticks, 0, TimeSpan.TicksPerDay));
}
