namespace OrleansLeases.Conformance.Suites;

/// <summary><c>holdAtLeastMs</c>: however early an exclusive lease ends, other owners wait until so long after its grant.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class HoldAtLeastSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task Hold_AfterARelease_KeepsOthersOutSinceTheGrant()
    {
        var grant = await GrantAsync(Held("ann"));
        await PassAsync(T(9));
        await ReleaseAsync(grant);

        var held = await RefusedAsync<Refusal.Held>(By("bob"));
        Assert.Empty(held.Holders);
        AssertTime(T(36), held.RetryAfter);
        var info = await GetAsync();
        Assert.Equal(LeaseStatus.Delayed, info.State);
        AssertTime(T(36), info.AvailableIn!.Value);
        Assert.DoesNotContain((await HistoryAsync()).Events, change => change.Kind is LeaseEventKind.Expired);

        await PassAsync(T(36));
        Assert.Equal(LeaseStatus.Free, (await GetAsync()).State);
        await GrantAsync("bob");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Hold_AfterAnExpiryOrABreakByForce_KeepsOthersOutSinceTheGrant(bool broken)
    {
        await GrantAsync(Held("ann"));
        if (broken) await BreakAsync(TimeSpan.Zero, force: true);
        await PassAsync(T(30));

        AssertTime(T(15), (await RefusedAsync<Refusal.Held>(By("bob"))).RetryAfter);
        Assert.Equal(LeaseStatus.Delayed, (await GetAsync()).State);
        await PassAsync(T(15));
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Hold_GoesWithATransfer()
    {
        var grant = await GrantAsync(Held("ann"));
        await PassAsync(T(9));
        await ReleaseAsync((await TransferAsync(grant, "bob")).Value);

        AssertTime(T(36), (await RefusedAsync<Refusal.Held>(By("ann"))).RetryAfter);
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Hold_DoesNotBindItsOwner_AndOutlastsItsNextRelease()
    {
        await ReleaseAsync(await GrantAsync(Held("ann")));

        await ReleaseAsync(await GrantAsync("ann"));

        AssertTime(T(45), (await RefusedAsync<Refusal.Held>(By("bob"))).RetryAfter);
    }

    [Fact]
    public async Task Hold_WhenItEnds_ServesWhoWaits()
    {
        await ReleaseAsync(await GrantAsync(Held("ann") with { HoldAtLeast = T(9) }));
        var waiting = await WaitInQueueAsync(By("bob"));

        await PassAsync(T(9));

        await GrantedAsync(waiting);
    }

    private AcquireRequest Held(string owner) => By(owner) with { HoldAtLeast = T(45) };
}
