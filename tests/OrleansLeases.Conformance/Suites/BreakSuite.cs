namespace OrleansLeases.Conformance.Suites;

/// <summary>POST /v1/leases/break: an end against the holder's will, never before the deadline it was told unless forced.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class BreakSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task Break_WithoutNotice_EndsAtTheDeadlineTheHolderWasTold()
    {
        var grant = await GrantAsync("ann");
        await PassAsync(T(10));

        var order = (await BreakAsync(TimeSpan.Zero)).Value;

        Assert.Equal(R, order.Resource);
        Assert.Equal(grant.Token, order.Token);
        AssertTime(T(20), order.EndsIn);
        await PassAsync(T(15));
        await RefusedAsync<Refusal.Held>(By("bob"));
        await PassAsync(T(5));
        await GrantAsync("bob");
        NotHolder(await RenewAsync(grant), NotHolderReason.Broken);
    }

    [Fact]
    public async Task Break_WithALongNotice_BoundsRenewals()
    {
        var grant = await GrantAsync("ann");

        AssertTime(T(60), (await BreakAsync(T(60))).Value.EndsIn);

        await PassAsync(T(24));
        AssertTime(T(30), (await RenewAsync(grant)).Value.Remaining);
        await PassAsync(T(21));
        await RefusedAsync<Refusal.Held>(By("bob"));
        var renewal = (await RenewAsync(grant)).Value;
        AssertTime(T(15), renewal.Remaining);
        AssertTime(T(15), renewal.Breaking!.EndsIn);
        await PassAsync(T(15));
        await GrantAsync("bob");
        NotHolder(await RenewAsync(grant), NotHolderReason.Broken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Break_WithALongNotice_ProlongsNothing(bool force)
    {
        var grant = await GrantAsync("ann");
        await PassAsync(T(15));

        AssertTime(T(90), (await BreakAsync(T(90), force)).Value.EndsIn);

        await PassAsync(T(15));
        await GrantAsync("bob");
        NotHolder(await RenewAsync(grant), NotHolderReason.Expired);
    }

    [Fact]
    public async Task Break_ByForce_EndsAfterTheNoticeWhateverTheHolderWasTold()
    {
        var grant = await GrantAsync("ann");

        AssertTime(T(6), (await BreakAsync(T(6), force: true)).Value.EndsIn);

        AssertTime(T(6), (await RenewAsync(grant)).Value.Remaining);
        await PassAsync(T(3));
        await RefusedAsync<Refusal.Held>(By("bob"));
        await PassAsync(T(3));
        Assert.True((await GrantAsync("bob")).Token > grant.Token);
        NotHolder(await RenewAsync(grant), NotHolderReason.Broken);
    }

    [Fact]
    public async Task Break_ByForceWithoutNotice_EndsAtOnce()
    {
        var grant = await GrantAsync("ann");

        Assert.Equal(TimeSpan.Zero, (await BreakAsync(TimeSpan.Zero, force: true)).Value.EndsIn);

        Assert.Equal(LeaseStatus.Free, (await GetAsync()).State);
        NotHolder(await RenewAsync(grant), NotHolderReason.Broken);
    }

    [Fact]
    public async Task Renew_WhileBreaking_ExtendsNothingAndSaysWhenAndWhy()
    {
        var grant = await GrantAsync("ann");
        await BreakAsync(TimeSpan.Zero);
        await PassAsync(T(21));

        var renewal = (await RenewAsync(grant, T(300))).Value;

        Assert.Equal(grant.Token, renewal.Token);
        Assert.Equal(T(300), renewal.Ttl);
        AssertTime(T(9), renewal.Remaining);
        AssertTime(T(3), renewal.RenewAfter);
        AssertTime(T(9), renewal.Breaking!.EndsIn);
        Assert.Equal("maintenance", renewal.Breaking.Reason);
    }

    [Fact]
    public async Task Break_OfOneOfSeveralHolders_NeedsItsToken()
    {
        var ann = await GrantAsync(Shared("ann"));
        var bob = await GrantAsync(Shared("bob"));

        Assert.Equal(["token"], Refused<Refusal.InvalidRequest, LeaseBreak>(await BreakAsync(TimeSpan.Zero, force: true)).Errors.Keys);
        Assert.Equal(ann.Token, (await BreakAsync(TimeSpan.Zero, force: true, ann.Token)).Value.Token);

        Assert.Equal(bob.Token, Assert.Single((await GetAsync()).Holders).Token);
    }

    [Fact]
    public async Task Break_OfWhatNobodyHolds_SaysWhyNot()
    {
        Assert.Equal(0, NotHolder(await BreakAsync(TimeSpan.Zero), NotHolderReason.NeverHeld).LastToken);
        var released = await GrantAsync("ann");
        await ReleaseAsync(released);
        Assert.Equal(released.Token, NotHolder(await BreakAsync(TimeSpan.Zero), NotHolderReason.Released).LastToken);
        var expired = await GrantAsync("ann");
        await PassAsync(T(30));
        NotHolder(await BreakAsync(TimeSpan.Zero), NotHolderReason.Expired);
        NotHolder(await BreakAsync(TimeSpan.Zero, token: released.Token), NotHolderReason.Released);
        NotHolder(await BreakAsync(TimeSpan.Zero, token: expired.Token + 1), NotHolderReason.NeverHeld);
    }

    [Fact]
    public async Task Break_WithTheTokenOfAnOlderGrant_LeavesTheNewOneAlone()
    {
        var old = await GrantAsync("ann");
        await ReleaseAsync(old);
        var current = await GrantAsync("bob");

        NotHolder(await BreakAsync(TimeSpan.Zero, force: true, old.Token), NotHolderReason.Released);

        Assert.Null((await RenewAsync(current)).Value.Breaking);
    }

    [Fact]
    public async Task Break_Again_NeverPutsTheEndOff()
    {
        var grant = await GrantAsync("ann");
        await BreakAsync(T(40));

        AssertTime(T(40), (await BreakAsync(T(90))).Value.EndsIn);
        AssertTime(T(30), (await BreakAsync(TimeSpan.Zero)).Value.EndsIn);
        AssertTime(T(30), (await BreakAsync(T(40))).Value.EndsIn);
        AssertTime(T(6), (await BreakAsync(T(6), force: true)).Value.EndsIn);
        AssertTime(T(6), (await BreakAsync(T(40))).Value.EndsIn);

        AssertTime(T(6), (await RenewAsync(grant)).Value.Breaking!.EndsIn);
        await PassAsync(T(6));
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Break_Repeated_AppliesOnce()
    {
        var grant = await GrantAsync("ann");
        AssertTime(T(60), (await BreakAsync(T(60), requestId: "stop")).Value.EndsIn);
        var sequence = (await GetAsync()).Sequence;
        await PassAsync(T(10));

        var repeat = (await BreakAsync(T(60), requestId: "stop")).Value;

        AssertTime(T(50), repeat.EndsIn);
        Assert.Equal(grant.Token, repeat.Token);
        Assert.Equal(sequence, (await GetAsync()).Sequence);
        await PassAsync(T(50));
        Assert.Equal(TimeSpan.Zero, (await BreakAsync(T(60), requestId: "stop")).Value.EndsIn);
        Assert.Equal(grant.Token, (await BreakAsync(T(60), requestId: "stop")).Value.Token);
    }

    [Fact]
    public async Task Break_RepeatedAfterANewGrant_DoesNotTouchIt()
    {
        var grant = await GrantAsync("ann");
        await BreakAsync(TimeSpan.Zero, force: true, requestId: "stop");
        var next = await GrantAsync("bob");

        Assert.Equal(grant.Token, (await BreakAsync(TimeSpan.Zero, force: true, requestId: "stop")).Value.Token);

        Assert.Null((await RenewAsync(next)).Value.Breaking);
    }

    [Fact]
    public async Task Break_RepeatedWithOtherContent_IsAConflict()
    {
        await GrantAsync("ann");
        await BreakAsync(T(60), requestId: "stop");

        Refused<Refusal.Conflict, LeaseBreak>(await BreakAsync(T(60), force: true, requestId: "stop"));
        Refused<Refusal.Conflict, LeaseBreak>(await BreakAsync(T(59), requestId: "stop"));
    }

    [Fact]
    public async Task Break_WhileSomeoneWaits_ServesItAtTheEnd()
    {
        var grant = await GrantAsync("ann");
        var waiting = await WaitInQueueAsync(By("bob"));

        await BreakAsync(T(6), force: true);
        await PassAsync(T(6));

        var next = await GrantedAsync(waiting);
        Assert.True(next.Token > grant.Token);
        AssertTime(T(30), next.Remaining);
    }

    [Fact]
    public async Task Break_ByForceWithoutNotice_ServesWhoWaitsAtOnce()
    {
        await GrantAsync("ann");
        var waiting = await WaitInQueueAsync(By("bob"));

        await BreakAsync(TimeSpan.Zero, force: true);

        AssertTime(T(30), (await GrantedAsync(waiting)).Remaining);
    }

    [Fact]
    public async Task Break_IsShownToWhoAsks()
    {
        await GrantAsync("ann");
        await BreakAsync(T(6), force: true);

        var info = await GetAsync();

        AssertTime(T(6), Assert.Single(info.Holders).Remaining);
        AssertTime(T(6), info.AvailableIn!.Value);
        AssertTime(T(6), (await RefusedAsync<Refusal.Held>(By("bob"))).RetryAfter);
    }
}
