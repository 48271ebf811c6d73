namespace OrleansLeases.Conformance;

/// <summary>What the suites share: a service made for each test, requests to start from, and bounded waiting for events.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class LeaseSuite<TWorld> : IAsyncLifetime
    where TWorld : LeaseWorld, new()
{
    /// <summary>The resource of tests that need but one.</summary>
    protected const string R = "orders/42";

    // Only a defect lets a test wait this long.
    protected static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);

    private ILeaseService? _leases;

    protected TWorld World { get; } = new();

    protected ILeaseService Leases => _leases ?? throw new InvalidOperationException("The service has not been started.");

    protected virtual LeaseLimits Limits => new();

    public async Task InitializeAsync() => _leases = await World.StartAsync(Limits);

    public async Task DisposeAsync() => await World.DisposeAsync();

    /// <summary>A number of the world's units.</summary>
    protected TimeSpan T(double units) => World.Unit * units;

    protected Task PassAsync(TimeSpan time) => World.PassAsync(time);

    protected AcquireRequest By(string owner, string resource = R) => new() { Resource = resource, Owner = owner, Ttl = T(30) };

    protected AcquireRequest Shared(string owner, int? capacity = null) => By(owner) with { Mode = LeaseMode.Shared, Capacity = capacity };

    protected async Task<LeaseGrant> GrantAsync(AcquireRequest request) =>
        (await Leases.AcquireAsync(request).AsTask().WaitAsync(WaitTimeout)).Value;

    protected Task<LeaseGrant> GrantAsync(string owner) => GrantAsync(By(owner));

    protected async Task<TRefusal> RefusedAsync<TRefusal>(AcquireRequest request)
        where TRefusal : Refusal =>
        Refused<TRefusal, LeaseGrant>(await Leases.AcquireAsync(request).AsTask().WaitAsync(WaitTimeout));

    protected static TRefusal Refused<TRefusal, T>(LeaseResult<T> result)
        where TRefusal : Refusal
        where T : class =>
        Assert.IsType<TRefusal>(result.Refusal);

    protected static Refusal.NotHolder NotHolder<T>(LeaseResult<T> result, NotHolderReason reason)
        where T : class
    {
        var refusal = Refused<Refusal.NotHolder, T>(result);
        Assert.Equal(reason, refusal.Reason);
        return refusal;
    }

    protected ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(LeaseGrant grant, TimeSpan? ttl = null) =>
        Leases.RenewAsync(new RenewRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token, Ttl = ttl });

    protected ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(LeaseGrant grant) =>
        Leases.ReleaseAsync(new ReleaseRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token });

    protected ValueTask<LeaseResult<LeaseGrant>> TransferAsync(
        LeaseGrant grant, string newOwner, TimeSpan? ttl = null, string? requestId = null) =>
        Leases.TransferAsync(new TransferRequest
        {
            Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token, NewOwner = newOwner, Ttl = ttl, RequestId = requestId,
        });

    protected ValueTask<LeaseResult<LeaseBreak>> BreakAsync(
        TimeSpan grace, bool force = false, long? token = null, string? requestId = null) =>
        Leases.BreakAsync(
            new BreakRequest { Resource = R, Token = token, Grace = grace, Force = force, Reason = "maintenance", RequestId = requestId });

    protected async Task<LeaseInfo> GetAsync(string resource = R, bool consistent = false) =>
        (await Leases.GetAsync(new GetLeaseRequest { Resource = resource, Consistent = consistent })).Value;

    protected async Task<LeaseHistory> HistoryAsync(string resource = R) => (await Leases.HistoryAsync(resource)).Value;

    protected static KeyLease LeaseOf(LeaseGrant grant) => new() { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token };

    protected ValueTask<LeaseResult<KeyPut>> PutAsync(
        string key, string value, LeaseGrant? bound = null, long? ifVersion = null, string? requestId = null) =>
        Leases.PutKeyAsync(
            key,
            new PutKeyRequest
            {
                Value = value, Lease = bound is null ? null : LeaseOf(bound), IfVersion = ifVersion, RequestId = requestId,
            });

    protected ValueTask<LeaseResult<CounterValue>> AddAsync(string key, long delta, LeaseGrant? bound = null, string? requestId = null) =>
        Leases.AddToCounterAsync(
            key, new AddToCounterRequest { Delta = delta, Lease = bound is null ? null : LeaseOf(bound), RequestId = requestId });

    protected async Task<string?> ValueAsync(string key)
    {
        var answer = await Leases.GetKeyAsync(key);
        if (answer.TryGetValue(out var value, out var refusal)) return value.Value;
        Assert.IsType<Refusal.NotFound>(refusal);
        return null;
    }

    protected async Task<IEnumerable<string>> KeysAsync(string? prefix = null) =>
        (await Leases.ListKeysAsync(new ListKeysRequest { Prefix = prefix, PageSize = 1000 })).Value.Keys.Select(key => key.Key);

    /// <summary>Asks with a wait, and returns once the request stands in the queue.</summary>
    protected async Task<Task<LeaseResult<LeaseGrant>>> WaitInQueueAsync(
        AcquireRequest request, CancellationToken cancellationToken = default)
    {
        var before = (await GetAsync(request.Resource)).Waiters ?? 0;
        var call = Leases.AcquireAsync(request.Wait > TimeSpan.Zero ? request : request with { Wait = T(20) }, cancellationToken).AsTask();
        await UntilAsync(async () => call.IsCompleted || (await GetAsync(request.Resource)).Waiters > before);
        Assert.False(call.IsCompleted, $"{request.Owner} should stand in the queue.");
        return call;
    }

    protected static async Task<LeaseGrant> GrantedAsync(Task<LeaseResult<LeaseGrant>> call) => (await call.WaitAsync(WaitTimeout)).Value;

    protected static async Task<TRefusal> RefusedAsync<TRefusal>(Task<LeaseResult<LeaseGrant>> call)
        where TRefusal : Refusal =>
        Refused<TRefusal, LeaseGrant>(await call.WaitAsync(WaitTimeout));

    /// <summary>Waits for an event that is on its way.</summary>
    protected static async Task UntilAsync(Func<Task<bool>> happened)
    {
        using var timeout = new CancellationTokenSource(WaitTimeout);
        while (!await happened()) await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, timeout.Token);
    }

    /// <summary>A duration that was told: exact under a clock that tests move; under a real one, time may have passed.</summary>
    protected void AssertTime(TimeSpan expected, TimeSpan actual) => Assert.InRange(actual, expected - World.Blur, expected);

    /// <summary>A duration that was told and has grown by real time where that runs.</summary>
    protected void AssertSince(TimeSpan expected, TimeSpan actual) => Assert.InRange(actual, expected, expected + World.Blur);
}
