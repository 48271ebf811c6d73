namespace OrleansLeases.Conformance.Suites;

/// <summary>
/// Acquire with <c>waitMs</c>: first come, first served; a place is kept for its request id while its client is away for a moment.
/// </summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class WaitingSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    // A place without its client is lost after this; not configurable.
    private static readonly TimeSpan PlaceKept = TimeSpan.FromSeconds(5);

    protected override LeaseLimits Limits => new() { MaxWaiters = 4 };

    [Fact]
    public async Task Wait_WhenReleased_IsGrantedAFullTtlFromThen()
    {
        var grant = await GrantAsync("ann");
        var waiting = await WaitInQueueAsync(By("bob"));
        await PassAsync(T(12));

        await ReleaseAsync(grant);

        var next = await GrantedAsync(waiting);
        Assert.True(next.Token > grant.Token);
        AssertTime(T(30), next.Remaining);
        AssertSince(T(12), next.Elapsed);
        AssertTime(T(10), next.RenewAfter);
        Assert.False(next.Replayed);
    }

    [Fact]
    public async Task Wait_WhenTheHolderExpires_IsGrantedWithoutAnyoneAsking()
    {
        await GrantAsync(By("ann") with { Ttl = T(6) });
        var waiting = await WaitInQueueAsync(By("bob"));

        await PassAsync(T(6));

        var next = await GrantedAsync(waiting);
        AssertTime(T(30), next.Remaining);
        AssertSince(T(6), next.Elapsed);
    }

    [Fact]
    public async Task Wait_WhenTheHolderRenews_GoesOn()
    {
        var grant = await GrantAsync(By("ann") with { Ttl = T(6) });
        var waiting = await WaitInQueueAsync(By("bob"));
        await PassAsync(T(4));
        await RenewAsync(grant);
        await PassAsync(T(4));

        Assert.False(waiting.IsCompleted);
        Assert.Equal("ann", Assert.Single((await GetAsync()).Holders).Owner);
        await PassAsync(T(2));
        await GrantedAsync(waiting);
    }

    [Fact]
    public async Task Wait_WhenFree_IsGrantedAtOnce() => AssertTime(T(30), (await GrantAsync(By("ann") with { Wait = T(20) })).Remaining);

    [Fact]
    public async Task Get_WhileSomeWait_ShowsTheQueueInItsOrder()
    {
        var grant = await GrantAsync("ann");
        Assert.Null((await GetAsync()).Queue);
        var bob = await WaitInQueueAsync(By("bob"));
        await PassAsync(T(2));
        var cid = await WaitInQueueAsync(By("cid") with { Mode = LeaseMode.Shared });

        var info = await GetAsync();
        Assert.Equal(2, info.Waiters);
        Assert.Equal(
            [("bob", LeaseMode.Exclusive), ("cid", LeaseMode.Shared)], info.Queue!.Select(waiter => (waiter.Owner, waiter.Mode)));
        AssertSince(T(2), info.Queue![0].Waited);

        await ReleaseAsync(grant);
        await ReleaseAsync(await GrantedAsync(bob));
        await GrantedAsync(cid);
        Assert.Null((await GetAsync()).Queue);
    }

    [Fact]
    public async Task Wait_OfSeveral_IsServedInTheOrderOfArrival()
    {
        var grant = await GrantAsync("ann");
        var bob = await WaitInQueueAsync(By("bob"));
        var cid = await WaitInQueueAsync(By("cid"));
        var dan = await WaitInQueueAsync(By("dan"));

        await ReleaseAsync(grant);
        var second = await GrantedAsync(bob);
        Assert.False(cid.IsCompleted || dan.IsCompleted);
        await ReleaseAsync(second);
        var third = await GrantedAsync(cid);
        Assert.False(dan.IsCompleted);
        await ReleaseAsync(third);
        var fourth = await GrantedAsync(dan);

        Assert.True(grant.Token < second.Token && second.Token < third.Token && third.Token < fourth.Token);
    }

    [Fact]
    public async Task Wait_ThatRunsOut_IsHeldWithItsPlace()
    {
        await GrantAsync("ann");
        var bob = await WaitInQueueAsync(By("bob"));
        var cid = await WaitInQueueAsync(By("cid") with { Wait = T(6) });

        await PassAsync(T(6));

        var held = await RefusedAsync<Refusal.Held>(cid);
        Assert.Equal(2, held.Position);
        Assert.Equal("ann", Assert.Single(held.Holders).Owner);
        AssertTime(T(24), held.Holders[0].Remaining);
        Assert.False(held.SameOwner);
        Assert.Equal(TimeSpan.Zero, held.RetryAfter);
        Assert.False(bob.IsCompleted);
    }

    [Fact]
    public async Task Wait_RepeatedWithItsRequestId_KeepsThePlace()
    {
        var grant = await GrantAsync("ann");
        var bob = await WaitInQueueAsync(By("bob") with { Wait = T(6), RequestId = "bob" });
        var cid = await WaitInQueueAsync(By("cid"));
        await PassAsync(T(6));
        await RefusedAsync<Refusal.Held>(bob);

        // Two calls, since whichever comes later takes over the other: that tells when the place is taken again.
        var calls = new List<Task<LeaseResult<LeaseGrant>>>();
        for (var i = 0; i < 2; i++) calls.Add(Leases.AcquireAsync(By("bob") with { Wait = T(20), RequestId = "bob" }).AsTask());
        var takenOver = await Task.WhenAny(calls);
        await RefusedAsync<Refusal.Unavailable>(takenOver);
        Assert.Equal(2, (await GetAsync()).Waiters);
        await ReleaseAsync(grant);

        Assert.Equal("bob", (await GrantedAsync(calls.Single(call => call != takenOver))).Owner);
        Assert.False(cid.IsCompleted);
    }

    [Fact]
    public async Task Wait_WhoseClientStaysAway_IsPassedOverAtOnce()
    {
        var grant = await GrantAsync("ann");
        var bob = await WaitInQueueAsync(By("bob") with { Wait = T(3), RequestId = "bob" });
        var cid = await WaitInQueueAsync(By("cid"));
        await PassAsync(T(3));
        await RefusedAsync<Refusal.Held>(bob);

        await ReleaseAsync(grant);

        Assert.Equal("cid", (await GrantedAsync(cid)).Owner);
        var late = await RefusedAsync<Refusal.Held>(By("bob") with { RequestId = "bob" });
        Assert.Equal("cid", Assert.Single(late.Holders).Owner);
        Assert.Equal(1, late.Position);
    }

    [Fact]
    public async Task Wait_WhoseClientStaysAway_LosesThePlaceAfterFiveSeconds()
    {
        await GrantAsync(By("ann") with { Ttl = TimeSpan.FromMinutes(1) });
        var bob = await WaitInQueueAsync(By("bob") with { Wait = T(3), RequestId = "bob" });
        var cid = await WaitInQueueAsync(By("cid"));
        await PassAsync(T(3));
        await RefusedAsync<Refusal.Held>(bob);
        Assert.Equal(2, (await GetAsync()).Waiters);

        await PassAsync(PlaceKept);
        await UntilAsync(async () => (await GetAsync()).Waiters == 1);

        Assert.Equal(2, (await RefusedAsync<Refusal.Held>(By("bob") with { RequestId = "bob" })).Position);
        Assert.False(cid.IsCompleted);
    }

    [Fact]
    public async Task Wait_WhenCancelled_LeavesTheLineToTheNext()
    {
        var grant = await GrantAsync("ann");
        using var cancellation = new CancellationTokenSource();
        var bob = await WaitInQueueAsync(By("bob"), cancellation.Token);
        var cid = await WaitInQueueAsync(By("cid"));

        await cancellation.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => bob);
        await ReleaseAsync(grant);
        Assert.Equal("cid", (await GrantedAsync(cid)).Owner);
    }

    [Fact]
    public async Task Acquire_WithoutWait_DoesNotStandInLine()
    {
        await GrantAsync("ann");

        var held = await RefusedAsync<Refusal.Held>(By("bob"));

        Assert.Equal(1, held.Position);
        Assert.Equal(0, (await GetAsync()).Waiters);
    }

    [Fact]
    public async Task Acquire_WithoutWait_TellsThePlaceItWouldGet()
    {
        await GrantAsync("ann");
        var bob = await WaitInQueueAsync(By("bob"));
        var cid = await WaitInQueueAsync(By("cid"));

        Assert.Equal(3, (await RefusedAsync<Refusal.Held>(By("dan"))).Position);
        Assert.False(bob.IsCompleted || cid.IsCompleted);
    }

    [Fact]
    public async Task Wait_BeyondTheMostWaiters_IsALimit()
    {
        await GrantAsync("ann");
        for (var i = 0; i < 4; i++) await WaitInQueueAsync(By($"waiter-{i}"));

        var limit = await RefusedAsync<Refusal.LimitReached>(By("one-more") with { Wait = T(20) });

        Assert.Equal("waiters", limit.Limit);
        Assert.True(limit.RetryAfter > TimeSpan.Zero);
        Assert.Contains("4", limit.Detail, StringComparison.Ordinal);
        await RefusedAsync<Refusal.Held>(By("one-more"));
    }

    [Fact]
    public async Task Wait_OfTheHolderItself_IsNeitherServedNorInTheWay()
    {
        var grant = await GrantAsync("ann");
        var again = await WaitInQueueAsync(By("ann"));
        var bob = await WaitInQueueAsync(By("bob"));

        await TransferAsync(grant, "cid");
        Assert.False(again.IsCompleted || bob.IsCompleted);
        await BreakAsync(TimeSpan.Zero, force: true);

        var next = await GrantedAsync(again);
        Assert.Equal("ann", next.Owner);
        await ReleaseAsync(next);
        await GrantedAsync(bob);
    }

    [Fact]
    public async Task Wait_RepeatedWhileTheFirstCallStillWaits_TakesItOver()
    {
        var grant = await GrantAsync("ann");
        var first = await WaitInQueueAsync(By("bob") with { RequestId = "bob" });

        var second = Leases.AcquireAsync(By("bob") with { Wait = T(20), RequestId = "bob" }).AsTask();

        await RefusedAsync<Refusal.Unavailable>(first);
        Assert.Equal(1, (await GetAsync()).Waiters);
        await ReleaseAsync(grant);
        Assert.Equal("bob", (await GrantedAsync(second)).Owner);
    }

    [Fact]
    public async Task Wait_RepeatedWithOtherContent_IsAConflict()
    {
        await GrantAsync("ann");
        var bob = await WaitInQueueAsync(By("bob") with { RequestId = "bob" });

        await RefusedAsync<Refusal.Conflict>(By("bob") with { Ttl = T(31), Wait = T(20), RequestId = "bob" });

        Assert.False(bob.IsCompleted);
    }

    [Fact]
    public async Task Wait_ForTheMostACallMayWait_IsTaken()
    {
        await GrantAsync(By("ann") with { Ttl = TimeSpan.FromMinutes(1) });
        var bob = await WaitInQueueAsync(By("bob") with { Wait = Limits.MaxWait });

        await PassAsync(Limits.MaxWait);

        Assert.Equal(1, (await RefusedAsync<Refusal.Held>(bob)).Position);
    }
}
