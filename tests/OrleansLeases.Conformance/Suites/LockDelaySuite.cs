namespace OrleansLeases.Conformance.Suites;

/// <summary><c>lockDelayMs</c>: after an exclusive lease expires or is broken by force, other owners wait that long.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class LockDelaySuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task Delay_AfterExpiry_KeepsOthersOutForItsLength()
    {
        await GrantAsync(Delayed("ann"));
        await PassAsync(T(30));

        var held = await RefusedAsync<Refusal.Held>(By("bob"));
        Assert.Empty(held.Holders);
        Assert.False(held.SameOwner);
        AssertTime(T(9), held.RetryAfter);
        var info = await GetAsync();
        Assert.Equal(LeaseStatus.Delayed, info.State);
        Assert.Empty(info.Holders);
        AssertTime(T(9), info.AvailableIn!.Value);

        var step = World.Blur > TimeSpan.Zero ? T(3) : TimeSpan.FromMilliseconds(1);
        await PassAsync(T(9) - step);
        AssertTime(step, (await RefusedAsync<Refusal.Held>(By("bob"))).RetryAfter);
        await PassAsync(step);
        Assert.Equal(LeaseStatus.Free, (await GetAsync()).State);
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Delay_CountsFromTheDeadline_HoweverLateSomeoneLooks()
    {
        await GrantAsync(Delayed("ann"));
        await PassAsync(T(36));

        AssertTime(T(3), (await GetAsync()).AvailableIn!.Value);
        await PassAsync(T(3));
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Delay_OverLongBeforeSomeoneLooks_IsNotInTheWay()
    {
        await GrantAsync(Delayed("ann"));
        await PassAsync(T(100));

        Assert.Equal(LeaseStatus.Free, (await GetAsync()).State);
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Delay_DoesNotBindItsOwner()
    {
        var grant = await GrantAsync(Delayed("ann"));
        await PassAsync(T(30));

        var again = await GrantAsync("ann");

        Assert.True(again.Token > grant.Token);
        await ReleaseAsync(again);
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Delay_GoesOnForOthers_WhereItsOwnersNextLeaseExpiresWithin()
    {
        await GrantAsync(Delayed("ann"));
        await PassAsync(T(30));
        await GrantAsync(By("ann") with { Ttl = T(3) });
        await PassAsync(T(3));

        AssertTime(T(6), (await RefusedAsync<Refusal.Held>(By("bob"))).RetryAfter);
        Assert.Equal(LeaseStatus.Delayed, (await GetAsync()).State);
        await PassAsync(T(6));
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Delay_AfterARelease_IsNone()
    {
        await ReleaseAsync(await GrantAsync(Delayed("ann")));

        Assert.Equal(LeaseStatus.Free, (await GetAsync()).State);
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Delay_AfterABreakByForce_Runs()
    {
        await GrantAsync(Delayed("ann"));
        await BreakAsync(TimeSpan.Zero, force: true);

        Assert.Equal(LeaseStatus.Delayed, (await GetAsync()).State);
        AssertTime(T(9), (await RefusedAsync<Refusal.Held>(By("bob"))).RetryAfter);
        await PassAsync(T(9));
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Delay_AfterABreakWithoutForce_IsNone()
    {
        await GrantAsync(Delayed("ann"));
        await BreakAsync(TimeSpan.Zero);
        await PassAsync(T(30));

        Assert.Equal(LeaseStatus.Free, (await GetAsync()).State);
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Delay_WhenItEnds_ServesWhoWaits()
    {
        await GrantAsync(Delayed("ann"));
        await PassAsync(T(30));
        var waiting = await WaitInQueueAsync(By("bob"));

        await PassAsync(T(9));

        var next = await GrantedAsync(waiting);
        AssertTime(T(30), next.Remaining);
        AssertSince(T(9), next.Elapsed);
    }

    [Fact]
    public async Task Delay_LetsItsOwnerPassWhoeverWaits()
    {
        await GrantAsync(Delayed("ann"));
        await PassAsync(T(30));
        var waiting = await WaitInQueueAsync(By("bob"));

        var again = await GrantAsync("ann");

        Assert.False(waiting.IsCompleted);
        await ReleaseAsync(again);
        await GrantedAsync(waiting);
    }

    [Fact]
    public async Task Delay_ForSharedRequests_RunsAsWell()
    {
        await GrantAsync(Delayed("ann"));
        await PassAsync(T(30));

        await RefusedAsync<Refusal.Held>(Shared("bob"));
        await PassAsync(T(9));
        await GrantAsync(Shared("bob"));
    }

    private AcquireRequest Delayed(string owner) => By(owner) with { LockDelay = T(9) };
}
