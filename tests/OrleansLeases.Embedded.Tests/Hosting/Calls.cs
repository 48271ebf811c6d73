namespace OrleansLeases.Embedded.Tests.Hosting;

/// <summary>The calls that most tests make, and bounded waiting for what is on its way.</summary>
internal static class Calls
{
    public const string R = "orders/42";

    // Only a defect lets a test wait this long.
    public static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(60);

    public static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    public static AcquireRequest By(string owner, string resource = R) => new() { Resource = resource, Owner = owner, Ttl = Seconds(30) };

    public static async Task<LeaseGrant> GrantAsync(this ILeaseService leases, AcquireRequest request) =>
        (await leases.AcquireAsync(request).AsTask().WaitAsync(WaitTimeout)).Value;

    public static async Task<TRefusal> RefusedAsync<TRefusal>(this ILeaseService leases, AcquireRequest request)
        where TRefusal : Refusal =>
        Assert.IsType<TRefusal>((await leases.AcquireAsync(request).AsTask().WaitAsync(WaitTimeout)).Refusal);

    public static Task<LeaseResult<LeaseRenewal>> RenewAsync(this ILeaseService leases, LeaseGrant grant, TimeSpan? ttl = null) =>
        leases.RenewAsync(new RenewRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token, Ttl = ttl }).AsTask()
            .WaitAsync(WaitTimeout);

    public static Task<LeaseResult<LeaseRelease>> ReleaseAsync(this ILeaseService leases, LeaseGrant grant) =>
        leases.ReleaseAsync(new ReleaseRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token }).AsTask()
            .WaitAsync(WaitTimeout);

    public static async Task<LeaseInfo> GetAsync(this ILeaseService leases, string resource = R, bool consistent = false) =>
        (await leases.GetAsync(new GetLeaseRequest { Resource = resource, Consistent = consistent }).AsTask().WaitAsync(WaitTimeout)).Value;

    /// <summary>Asks with a wait, and returns once the request stands in the queue.</summary>
    public static async Task<Task<LeaseResult<LeaseGrant>>> WaitInQueueAsync(this ILeaseService leases, AcquireRequest request)
    {
        var before = (await leases.GetAsync(request.Resource)).Waiters ?? 0;
        var call = leases.AcquireAsync(request.Wait > TimeSpan.Zero ? request : request with { Wait = Seconds(20) }).AsTask();
        await UntilAsync(async () => call.IsCompleted || (await leases.GetAsync(request.Resource)).Waiters > before);
        Assert.False(call.IsCompleted, $"{request.Owner} should stand in the queue.");
        return call;
    }

    public static Refusal.NotHolder NotHolder<T>(LeaseResult<T> result, NotHolderReason reason)
        where T : class
    {
        var refusal = Assert.IsType<Refusal.NotHolder>(result.Refusal);
        Assert.Equal(reason, refusal.Reason);
        return refusal;
    }

    /// <summary>Waits for an event that is on its way.</summary>
    public static async Task UntilAsync(Func<Task<bool>> happened)
    {
        using var timeout = new CancellationTokenSource(WaitTimeout);
        while (!await happened()) await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, timeout.Token);
    }
}
