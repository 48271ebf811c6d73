namespace OrleansLeases.Conformance.Suites;

/// <summary>A caller that gives up gets its thread back at once, and leaves behind no lease that nobody knows of.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class CancellationSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    private static readonly Dictionary<string, Func<ILeaseService, LeaseGrant, CancellationToken, Task>> Verbs = new()
    {
        ["renew"] = (leases, held, stop) => leases.RenewAsync(Renewal(held), stop).AsTask(),
        ["renew-batch"] = (leases, held, stop) => leases.RenewBatchAsync(new() { Leases = [Renewal(held), Renewal(held)] }, stop).AsTask(),
        ["batch"] = (leases, held, stop) => leases.BatchAsync(
            new() { Operations = [new BatchOperation.Renew(Renewal(held)), new BatchOperation.GetKey("k")] }, stop).AsTask(),
        ["release"] = (leases, held, stop) =>
            leases.ReleaseAsync(new() { Resource = held.Resource, Owner = held.Owner, Token = held.Token }, stop).AsTask(),
        ["transfer"] = (leases, held, stop) => leases.TransferAsync(
            new() { Resource = held.Resource, Owner = held.Owner, Token = held.Token, NewOwner = "bob" }, stop).AsTask(),
        ["break"] = (leases, held,
            stop) => leases.BreakAsync(new() { Resource = held.Resource, Grace = TimeSpan.Zero, Reason = "maintenance" }, stop).AsTask(),
        ["get"] = (leases, held, stop) => leases.GetAsync(new() { Resource = held.Resource }, stop).AsTask(),
        ["get, consistent"] = (leases, held, stop) => leases.GetAsync(new() { Resource = held.Resource, Consistent = true }, stop).AsTask(),
        ["list"] = (leases, _, stop) => leases.ListAsync(new(), stop).AsTask(),
        ["history"] = (leases, held, stop) => leases.HistoryAsync(held.Resource, stop).AsTask(),
        ["put"] = (leases, held, stop) => leases.PutKeyAsync("k", new() { Value = "x", Lease = LeaseOf(held) }, stop).AsTask(),
        ["get key"] = (leases, _, stop) => leases.GetKeyAsync("k", stop).AsTask(),
        ["delete"] = (leases, _, stop) => leases.DeleteKeyAsync("k", cancellationToken: stop).AsTask(),
        ["add"] = (leases, _, stop) => leases.AddToCounterAsync("k", new() { Delta = 1 }, stop).AsTask(),
        ["list keys"] = (leases, _, stop) => leases.ListKeysAsync(new(), stop).AsTask(),
        ["watch"] = (leases, held, stop) => WatchAsync(leases, new() { Resource = held.Resource }, stop),
        ["watch prefix"] = (leases, _, stop) => WatchAsync(leases, new() { Prefix = "" }, stop),
        ["info"] = (leases, _, stop) => leases.InfoAsync(stop).AsTask(),
    };

    public static TheoryData<string> AllVerbs => [.. Verbs.Keys];

    [Theory]
    [MemberData(nameof(AllVerbs))]
    public async Task Call_CancelledBeforeIt_EndsAtOnce(string verb)
    {
        var held = await GrantAsync("ann");

        await EndsAsync(Verbs[verb](Leases, held, new CancellationToken(canceled: true)));
    }

    [Theory]
    [MemberData(nameof(AllVerbs))]
    public async Task Call_CancelledDuringIt_EndsAtOnce(string verb)
    {
        var held = await GrantAsync("ann");
        using var cancellation = new CancellationTokenSource();

        var call = Verbs[verb](Leases, held, cancellation.Token);
        await cancellation.CancelAsync();

        await EndsAsync(call);
    }

    [Fact]
    public async Task Acquire_CancelledBeforeIt_IsNotMade()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => Leases.AcquireAsync(By("ann"), new CancellationToken(canceled: true)).AsTask());

        Assert.Equal((LeaseStatus.Free, 0), ((await GetAsync()).State, (await GetAsync()).LastToken));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public async Task Acquire_CancelledDuringIt_IsAnsweredOrGivenBack(double wait)
    {
        for (var call = 0; call < 30; call++)
        {
            using var cancellation = new CancellationTokenSource();
            var request = By("ann", $"{R}/{call}") with { Wait = T(wait) };

            var acquire = Leases.AcquireAsync(request, cancellation.Token).AsTask();
            // Some are made by then, and some are not.
            for (var i = 0; i < call; i++) await Task.Yield();
            await cancellation.CancelAsync();

            if (await EndsAsync(acquire))
            {
                Assert.Equal((await acquire).Value.Token, Assert.Single((await GetAsync(request.Resource)).Holders).Token);
            }
            else
            {
                await UntilAsync(async () => await GetAsync(request.Resource) is { State: LeaseStatus.Free, Waiters: 0 });
            }
        }
    }

    private static RenewRequest Renewal(LeaseGrant held) => new() { Resource = held.Resource, Owner = held.Owner, Token = held.Token };

    private static async Task WatchAsync(ILeaseService leases, WatchRequest request, CancellationToken stop)
    {
        await using var watch = (await leases.WatchAsync(request, stop)).Value;
        await foreach (var _ in watch.WithCancellation(stop))
        {
        }
    }

    /// <summary>Waits until a call has ended, with its answer or without.</summary>
    private static async Task<bool> EndsAsync(Task call)
    {
        await Task.WhenAny(call.WaitAsync(WaitTimeout));
        if (call.IsCanceled) return false;
        if (call.Exception?.InnerException is OperationCanceledException) return false;
        Assert.True(call.IsCompleted, "The call goes on, though its caller has given it up.");
        await call;
        return true;
    }
}
