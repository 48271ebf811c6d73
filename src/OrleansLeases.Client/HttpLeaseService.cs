using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Client.Holding;
using OrleansLeases.Client.Internal;
using OrleansLeases.Client.Telemetry;

namespace OrleansLeases.Client;

/// <summary>
/// A lease service at the other end of an <see cref="HttpClient"/>, at one address or at several. Safe for concurrent use.
/// </summary>
/// <remarks>
/// <para>A call is one HTTP request of the wire contract, unless four are under way to its server: then calls gather, for 20 ms at
/// most, and go together in one. Acquires that wait, watches and listings keep requests of their own.</para>
/// <para>All addresses must reach one service: a call goes to the server that responded last, and to the next where that cannot
/// be reached, breaks off, responds 503 or not within <see cref="ServerTimeout"/>; to each server once at most. A server that
/// failed rests for 1 s and up to 45 s, and is tried only where no other responded. A change that may have been carried out is
/// repeated at the next server only where a request id or a token makes it idempotent: a delete is not. Once all servers have
/// failed,
/// this service does not repeat the call: its caller may, as <see cref="LeaseClient"/> and the recipes do, with pauses.</para>
/// <para>A failure on the way is returned as a refusal. A server that could not be reached at all, and a read
/// without an answer, are <see cref="Refusal.Unavailable"/>. A change that may have left without its answer coming
/// back is <see cref="Refusal.OutcomeUnknown"/> with the request id to repeat; so every call that takes a request id
/// gets one here where the caller left it out. An answer that is not the contract's, such as a proxy's error page,
/// counts as no answer.</para>
/// <para>A holder's deadline counts from its call, whichever server responded: the time that the call spent at other servers is
/// part of <c>Elapsed</c>. A response of a server that was given up is never used.</para>
/// <para>Handlers put in front of the connection must not repeat a change by themselves: which one may be made twice is
/// known here, and a delete may not.</para>
/// <para>A credential is the client's: <c>http.DefaultRequestHeaders.Authorization = new("Bearer", token)</c>, or a handler for one
/// that is renewed. <see cref="LeaseClientServiceExtensions"/> takes it as an option.</para>
/// <para>Durations are sent as whole milliseconds, rounded down. The <see cref="HttpClient"/> stays the caller's: it
/// is neither changed nor disposed of.</para>
/// </remarks>
public sealed partial class HttpLeaseService : ILeaseService
{
    private static readonly TimeSpan ShortestClientTimeout = TimeSpan.FromSeconds(30);

    private readonly HttpExchange _exchange;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly LeaseReleaser _releaser;

    /// <summary>Calls the server at the client's base address.</summary>
    /// <param name="http">
    /// The client, with <see cref="HttpClient.BaseAddress"/> set. Its <see cref="HttpClient.Timeout"/> must leave
    /// room for a call that waits in the queue for 25 s; the default of 100 s does.
    /// </param>
    /// <param name="time">The clock of all time limits; the system's by default.</param>
    /// <exception cref="ArgumentNullException"><paramref name="http"/> is null.</exception>
    /// <exception cref="ArgumentException">
    /// There is no absolute http or https base address, or the client's timeout is below 30 s.
    /// </exception>
    [ActivatorUtilitiesConstructor]
    public HttpLeaseService(HttpClient http, TimeProvider? time = null)
        : this(http, BaseAddressOf(http), time)
    {
    }

    /// <summary>Calls one service at several addresses: the first one, and the next where that fails.</summary>
    /// <param name="http">
    /// The client. Its <see cref="HttpClient.Timeout"/> must leave room for a call that waits in the queue for 25 s; the default
    /// of 100 s does.
    /// </param>
    /// <param name="servers">
    /// The addresses, at least one, none twice. They must lead to one service, such as the gateways of one cluster: two services
    /// would each grant the same resource.
    /// </param>
    /// <param name="time">
    /// The clock of all time limits; the system's by default. The same as that of a <see cref="LeaseClient"/> upon this.
    /// </param>
    /// <exception cref="ArgumentNullException">An argument or an address is null.</exception>
    /// <exception cref="ArgumentException">
    /// There is no address, one is not absolute http or https, has a query or is named twice; or the client's timeout is below 30 s.
    /// </exception>
    public HttpLeaseService(HttpClient http, IEnumerable<Uri> servers, TimeProvider? time = null)
        : this(http, servers, time ?? TimeProvider.System, Random.Shared)
    {
    }

    internal HttpLeaseService(HttpClient http, IEnumerable<Uri> servers, TimeProvider time, Random random)
    {
        ArgumentNullException.ThrowIfNull(http);
        ArgumentNullException.ThrowIfNull(servers);
        Uri[] addresses = [.. servers];
        foreach (var address in addresses) ArgumentNullException.ThrowIfNull(address, nameof(servers));
        if (ServerAddresses.Faults(nameof(servers), [.. addresses.Select(address => address.OriginalString)]).FirstOrDefault() is { } fault)
            throw new ArgumentException(fault, nameof(servers));
        if (http.Timeout != Timeout.InfiniteTimeSpan && http.Timeout < ShortestClientTimeout)
        {
            throw new ArgumentException(
                $"HttpClient.Timeout is {http.Timeout}, which would cut off calls that wait in the queue for 25 s; "
                + $"make it at least {ShortestClientTimeout} and bound calls with {nameof(CallTimeout)} or a cancellation token.",
                nameof(http));
        }

        (_time, _random) = (time, random);
        _exchange = new(http, new(addresses, _time, random), _time);
        _releaser = new(this, HolderClock.Of(_time), _time, random, CancellationToken.None);
    }

    /// <summary>How long a call may take beyond the wait it asks for; after that its answer counts as lost.</summary>
    /// <value>15 s by default; <see cref="Timeout.InfiniteTimeSpan"/> leaves it to <see cref="HttpClient.Timeout"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is neither positive nor infinite, or above one day.</exception>
    public TimeSpan CallTimeout
    {
        get;
        init
        {
            if (value != Timeout.InfiniteTimeSpan) Within(nameof(CallTimeout), value, ", or Timeout.InfiniteTimeSpan");
            field = value;
        }
    } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long one of several servers may take, beyond the wait of the request, before the call goes to the next one.
    /// </summary>
    /// <value>5 s by default. The last one has what is left of <see cref="CallTimeout"/>.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive, or above one day.</exception>
    public TimeSpan ServerTimeout
    {
        get;
        init
        {
            Within(nameof(ServerTimeout), value, "");
            field = value;
        }
    } = TimeSpan.FromSeconds(5);

    /// <summary>Makes the meter <c>OrleansLeases.Client</c>, as <see cref="LeaseClientOptions.MeterFactory"/> does.</summary>
    /// <value>All clients of the process have one by default.</value>
    public IMeterFactory? MeterFactory
    {
        get;
        init => _exchange.Metrics = ClientMetrics.Of(field = value);
    }

    /// <summary>Logs when calls go to another server, since the one that they went to has failed.</summary>
    /// <value>Nothing is logged by default.</value>
    /// <exception cref="ArgumentNullException">The value is null.</exception>
    public ILogger Logger
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            field = value;
            _exchange.Changed = value.ServerChanged;
        }
    } = NullLogger.Instance;

    /// <summary>How many calls wait to share a request.</summary>
    internal int Gathered => _exchange.Gathered;

    /// <summary>Called when a watch has lost its connection (false), and when it goes on (true).</summary>
    internal Action<bool>? WatchConnected { get; init; }

    private CallLimits Limits => new(CallTimeout, ServerTimeout);

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <remarks>
    /// Where it is cancelled while the response is on its way, the grant is given back in the background; not so under a request
    /// id of the caller's own, since a repeat may have received that grant: it lasts for its time to live.
    /// </remarks>
    public async ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        cancellationToken.ThrowIfCancellationRequested();
        var hasOwnId = request.RequestId is null;
        request = request with { RequestId = request.RequestId ?? RequestIds.New() };
        try
        {
            return await AcquireAsync(request, hasOwnId, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (hasOwnId && cancellationToken.IsCancellationRequested)
        {
            _ = Background.Run(() => _releaser.AbandonAsync(request));
            throw;
        }
    }

    /// <summary>As the call of the contract, with a request id.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="hasOwnId">
    /// No other caller can know the id: what is granted once this call has been given up is given back when it comes.
    /// </param>
    /// <param name="cancellationToken">Gives up the call.</param>
    internal ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, bool hasOwnId, CancellationToken cancellationToken)
    {
        var text = new TextCheck()
            .Field("resource", request.Resource)
            .Field("owner", request.Owner)
            .Field("requestId", request.RequestId)
            .Field("metadata", request.Metadata);
        var reply =
            ReplyShape.Of(Wire.Json.LeaseGrant, grant => Wire.Fits(grant, request.Resource, request.Owner, request.RequestId!), Wire.Later);
        var call = new HttpCall<LeaseGrant>(HttpMethod.Post, "v1/leases/acquire", reply)
        {
            Body = after => Json(WaitsLess(request, after), Wire.Json.AcquireRequest),
            RequestId = request.RequestId,
            Wait = request.Wait,
            Operation = request is { Wait.Ticks: 0, Proof: false } ? () => Operation("acquire", request, Wire.Json.AcquireRequest) : null,
            GiveBack = hasOwnId ? grant => _ = Background.Run(() => _releaser.ReleaseAsync(grant)) : null,
        };
        return SendAsync(text, call, cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var text = new TextCheck().Field("resource", request.Resource).Field("owner", request.Owner);
        return SendAsync(
            text,
            Post(
                "v1/leases/renew", "renew", request, Wire.Json.RenewRequest,
                ReplyShape.Of(Wire.Json.LeaseRenewal, renewal => Wire.Fits(renewal, request), Wire.Later)) with { IsRenewal = true },
            cancellationToken);
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
        return SendAsync(
            text,
            Post(
                "v1/leases/renew-batch", operation: null, request, Wire.Json.RenewBatchRequest,
                ReplyShape.Of(Wire.Json.RenewBatchReply, reply => Wire.Fits(reply, request), Wire.Later)),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> or an operation is null.</exception>
    /// <remarks>
    /// Each operation is a call of its own: it goes on to the next server, and its grant is given back, as described at that call.
    /// </remarks>
    public async ValueTask<LeaseResult<BatchReply>> BatchAsync(BatchRequest request, CancellationToken cancellationToken = default)
    {
        if (BatchCalls.Check(request, BatchCalls.MaxOperations) is { } refusal) return refusal;
        cancellationToken.ThrowIfCancellationRequested();
        var operations = request.Operations;
        Task<BatchResult>[] calls;
        using (_exchange.HoldBack())
            calls = BatchCalls.Start(operations, operation => this.CallAsync(operation, cancellationToken), cancellationToken);
        try
        {
            var results = await Task.WhenAll(calls).ConfigureAwait(false);
            // Less than the truth is never too much, and the way is no part of it.
            var elapsed = BatchCalls.ElapsedOf(results, TimeSpan.MaxValue);
            return new BatchReply { Elapsed = elapsed == TimeSpan.MaxValue ? TimeSpan.Zero : elapsed, Results = results };
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // Each call that was cancelled sees to its own grant.
            foreach (var (acquire, grant) in BatchCalls.GrantsOf(operations, BatchCalls.ResultsOf(calls)))
                if (acquire.RequestId is null) _ = Background.Run(() => _releaser.ReleaseAsync(grant));
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var text = new TextCheck().Field("resource", request.Resource).Field("owner", request.Owner);
        return SendAsync(
            text,
            Post(
                "v1/leases/release", "release", request, Wire.Json.ReleaseRequest,
                ReplyShape.Of(Wire.Json.LeaseRelease, release => release.Resource == request.Resource && release.Token == request.Token)),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = request with { RequestId = request.RequestId ?? RequestIds.New() };
        var text = new TextCheck()
            .Field("resource", request.Resource)
            .Field("owner", request.Owner)
            .Field("newOwner", request.NewOwner)
            .Field("requestId", request.RequestId);
        return SendAsync(
            text,
            Post(
                "v1/leases/transfer", "transfer", request, Wire.Json.TransferRequest,
                ReplyShape.Of(
                    Wire.Json.LeaseGrant, grant => Wire.Fits(grant, request.Resource, request.NewOwner, request.RequestId), Wire.Later),
                        request.RequestId),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        request = request with { RequestId = request.RequestId ?? RequestIds.New() };
        var text = new TextCheck()
            .Field("resource", request.Resource)
            .Field("reason", request.Reason)
            .Field("requestId", request.RequestId);
        return SendAsync(
            text,
            Post(
                "v1/leases/break", "break", request, Wire.Json.BreakRequest, ReplyShape.Of(
                    Wire.Json.LeaseBreak, reply => Wire.Fits(reply, request)), request.RequestId),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        return SendAsync(
            new TextCheck().Path("resource", request.Resource),
            Get(
                $"v1/leases/{WirePath.Of(request.Resource)}{(request.Consistent ? "?consistent=true" : "")}",
                ReplyShape.Of(Wire.Json.LeaseInfo, info => info.Resource == request.Resource && Wire.Fits(info))) with
            {
                Operation = () => Operation("get", request, Wire.Json.GetLeaseRequest),
            },
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
        return SendAsync(
            text,
            Get(WirePath.OfListing(request), ReplyShape.Of(Wire.Json.LeasePage, page => page.Leases.All(Wire.Fits))),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentNullException"><paramref name="resource"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(resource);
        return SendAsync(
            new TextCheck().Path("resource", resource),
            Get($"v1/history/{WirePath.Of(resource)}", ReplyShape.Of(Wire.Json.LeaseHistory, history => history.Resource == resource)),
            cancellationToken);
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Where the connection breaks, it connects again for as long as the watch is enumerated: of a resource or key it goes
    /// on after the last event received, of a prefix it yields <see cref="WatchEvent.Resync"/>. The enumeration ends by
    /// cancellation only, or throws an <see cref="InvalidOperationException"/> where the server refuses for good to go on.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before the watch was started.</exception>
    public async ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var text = new TextCheck().Query("resource", request.Resource).Query("key", request.Key).Query("prefix", request.Prefix);
        if (text.Refusal is { } refusal) return refusal;
        var watch = new HttpWatch(_exchange, request, Limits, _time, _random) { Connected = WatchConnected };
        return await watch.StartAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default) =>
        SendAsync(
            new TextCheck(), Get("v1/info", ReplyShape.Of(Wire.Json.ServiceInfo, info => info.Grace >= TimeSpan.Zero)), cancellationToken);

    /// <inheritdoc/>
    /// <exception cref="OperationCanceledException">The token was cancelled before the answer came.</exception>
    public ValueTask<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken = default) =>
        SendAsync(
            new TextCheck(), Get("v1/members", ReplyShape.Of(Wire.Json.MemberList, list => list.Members.Count > 0)), cancellationToken);

    /// <param name="path">The path.</param>
    /// <param name="operation">The word for it in a batch; null where it keeps a request of its own.</param>
    /// <param name="request">The body.</param>
    /// <param name="json">Its JSON.</param>
    /// <param name="reply">How its response is read.</param>
    /// <param name="requestId">Its request id.</param>
    /// <param name="key">The key in its path.</param>
    private static HttpCall<T> Post<TRequest, T>(
        string path, string? operation, TRequest request, JsonTypeInfo<TRequest> json, ReplyShape<T> reply, string? requestId = null,
        string? key = null)
        where T : class => new(HttpMethod.Post, path, reply)
        {
            Body = _ => Json(request, json),
            RequestId = requestId,
            Operation = operation is null ? null : () => Operation(operation, request, json, key),
        };

    private static byte[] Operation<TRequest>(string word, TRequest request, JsonTypeInfo<TRequest> json, string? key = null) =>
        WireOperation.Of(word, Json(request, json), key);

    private static HttpCall<T> Get<T>(string path, ReplyShape<T> reply)
        where T : class => new(HttpMethod.Get, path, reply);

    private static byte[] Json<TRequest>(TRequest request, JsonTypeInfo<TRequest> json) =>
        JsonSerializer.SerializeToUtf8Bytes(request, json);

    /// <summary>
    /// The next server waits for what is left. Counted in whole seconds: a wait out of bounds is each server's to refuse, and
    /// must not come within them by the millisecond that another server took.
    /// </summary>
    private static AcquireRequest WaitsLess(AcquireRequest request, TimeSpan after)
    {
        after = TimeSpan.FromSeconds(Math.Floor(after.TotalSeconds));
        return request.Wait <= TimeSpan.Zero
            ? request
            : request with { Wait = request.Wait > after ? request.Wait - after : TimeSpan.Zero };
    }

    private static Uri[] BaseAddressOf(HttpClient http)
    {
        ArgumentNullException.ThrowIfNull(http);
        return ServerAddresses.Fault($"{nameof(HttpClient)}.{nameof(http.BaseAddress)}", http.BaseAddress?.OriginalString) is { } fault
            ? throw new ArgumentException(fault, nameof(http))
            : [http.BaseAddress!];
    }

    private static void Within(string name, TimeSpan value, string orElse)
    {
        if (value <= TimeSpan.Zero || value > TimeSpan.FromDays(1))
            throw new ArgumentOutOfRangeException(nameof(value), value, $"{name} is {value}; it takes more than 0 up to one day{orElse}.");
    }

    private ValueTask<LeaseResult<T>> SendAsync<T>(
        TextCheck text, HttpCall<T> call, CancellationToken cancellationToken, [CallerMemberName] string method = "")
        where T : class =>
            text.Refusal is { } refusal ? new(refusal)
            : LeaseTracing.IsOn ? TraceAsync(method, call, cancellationToken)
            : _exchange.SendAsync(call, Limits, cancellationToken);

    // Apart: a closure is made where its method begins, whether it is needed or not.
    private ValueTask<LeaseResult<T>> TraceAsync<T>(string method, HttpCall<T> call, CancellationToken cancellationToken)
        where T : class => CallTrace.RunAsync(method, () => _exchange.SendAsync(call, Limits, cancellationToken));
}
