namespace OrleansLeases.Conformance.Suites;

/// <summary>POST /v1/leases/transfer: same place and mode, full time to live, ahead of the queue, under a new token.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class TransferSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task Transfer_ByTheHolder_GrantsTheNewOwnerAFullTtlUnderANewToken()
    {
        var grant = await GrantAsync("ann");
        await PassAsync(T(20));

        var passedOn = (await TransferAsync(grant, "bob", requestId: "hand-over")).Value;

        Assert.Equal(R, passedOn.Resource);
        Assert.Equal("bob", passedOn.Owner);
        Assert.True(passedOn.Token > grant.Token);
        Assert.Equal(LeaseMode.Exclusive, passedOn.Mode);
        Assert.Equal(T(30), passedOn.Ttl);
        AssertTime(T(30), passedOn.Remaining);
        AssertSince(TimeSpan.Zero, passedOn.Elapsed);
        AssertTime(T(10), passedOn.RenewAfter);
        Assert.Equal("hand-over", passedOn.RequestId);
        Assert.False(passedOn.Replayed);
        var holder = Assert.Single((await GetAsync()).Holders);
        Assert.Equal(("bob", passedOn.Token), (holder.Owner, holder.Token));
    }

    [Fact]
    public async Task Transfer_WithATtl_SetsIt()
    {
        var passedOn = (await TransferAsync(await GrantAsync("ann"), "bob", T(6))).Value;

        Assert.Equal(T(6), passedOn.Ttl);
        AssertTime(T(6), passedOn.Remaining);
        await PassAsync(T(6));
        Assert.Equal(LeaseStatus.Free, (await GetAsync()).State);
    }

    [Fact]
    public async Task Transfer_WithoutRequestId_SaysWhichOneTheServiceMade()
    {
        var passedOn = (await TransferAsync(await GrantAsync("ann"), "bob")).Value;

        Assert.InRange(passedOn.RequestId.Length, 1, 128);
    }

    [Fact]
    public async Task Transfer_EndsTheOldToken()
    {
        var grant = await GrantAsync("ann");
        var passedOn = (await TransferAsync(grant, "bob")).Value;

        NotHolder(await RenewAsync(grant), NotHolderReason.Transferred);
        NotHolder(await ReleaseAsync(grant), NotHolderReason.Transferred);
        var refusal = NotHolder(await TransferAsync(grant, "cid"), NotHolderReason.Transferred);

        Assert.Equal(passedOn.Token, refusal.LastToken);
    }

    [Fact]
    public async Task Transfer_LetsTheNewOwnerLearnItsDeadlineFromARenewal()
    {
        var passedOn = (await TransferAsync(await GrantAsync("ann"), "bob")).Value;
        await PassAsync(T(29));

        AssertTime(T(30), (await RenewAsync(passedOn)).Value.Remaining);
    }

    [Fact]
    public async Task Transfer_GoesAheadOfTheLine()
    {
        var grant = await GrantAsync("ann");
        var waiting = await WaitInQueueAsync(By("cid"));

        var passedOn = (await TransferAsync(grant, "bob")).Value;

        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, (await GetAsync()).Waiters);
        await ReleaseAsync(passedOn);
        Assert.True((await GrantedAsync(waiting)).Token > passedOn.Token);
    }

    [Fact]
    public async Task Transfer_OfASharedLease_KeepsModePlaceAndCapacity()
    {
        var grant = await GrantAsync(Shared("ann", 2));
        await GrantAsync(Shared("bob", 2));

        var passedOn = (await TransferAsync(grant, "cid")).Value;

        Assert.Equal(LeaseMode.Shared, passedOn.Mode);
        var info = await GetAsync();
        Assert.Equal(2, info.Capacity);
        Assert.Equal(["bob", "cid"], info.Holders.Select(holder => holder.Owner));
        await RefusedAsync<Refusal.Held>(Shared("dan", 2));
    }

    [Fact]
    public async Task Transfer_OfTheOnlySharedLease_KeepsTheCapacity()
    {
        await TransferAsync(await GrantAsync(Shared("ann", 2)), "bob");

        Assert.Equal(2, (await GetAsync()).Capacity);
    }

    [Fact]
    public async Task Transfer_ToOneWhoHoldsAlready_IsHeld()
    {
        var ann = await GrantAsync(Shared("ann"));
        await GrantAsync(Shared("bob"));

        var held = Refused<Refusal.Held, LeaseGrant>(await TransferAsync(ann, "bob"));

        Assert.True(held.SameOwner);
        Assert.Equal(["ann", "bob"], held.Holders.Select(holder => holder.Owner));
        Assert.Equal(2, (await GetAsync()).Holders.Count);
    }

    [Fact]
    public async Task Transfer_ToItself_TakesANewToken()
    {
        var grant = await GrantAsync("ann");

        var passedOn = (await TransferAsync(grant, "ann")).Value;

        Assert.True(passedOn.Token > grant.Token);
        NotHolder(await RenewAsync(grant), NotHolderReason.Transferred);
    }

    [Fact]
    public async Task Transfer_ByAnyoneElse_SaysWhyNot()
    {
        var grant = await GrantAsync("ann");

        NotHolder(await TransferAsync(grant with { Owner = "bob" }, "cid"), NotHolderReason.NeverHeld);
        NotHolder(await TransferAsync(grant with { Token = grant.Token + 1 }, "cid"), NotHolderReason.NeverHeld);
        await PassAsync(T(30));
        NotHolder(await TransferAsync(grant, "cid"), NotHolderReason.Expired);
    }

    [Fact]
    public async Task Transfer_Repeated_TellsTheSameGrantWithWhatIsLeft()
    {
        var grant = await GrantAsync("ann");
        var passedOn = (await TransferAsync(grant, "bob", requestId: "hand-over")).Value;
        await PassAsync(T(12));

        var repeat = (await TransferAsync(grant, "bob", requestId: "hand-over")).Value;

        Assert.True(repeat.Replayed);
        Assert.Equal(passedOn.Token, repeat.Token);
        Assert.Equal("bob", repeat.Owner);
        AssertTime(T(18), repeat.Remaining);
        AssertTime(T(6), repeat.RenewAfter);
    }

    [Fact]
    public async Task Transfer_RepeatedOnceItsGrantHasEnded_SaysWhy()
    {
        var grant = await GrantAsync("ann");
        var passedOn = (await TransferAsync(grant, "bob", requestId: "hand-over")).Value;
        await ReleaseAsync(passedOn);

        NotHolder(await TransferAsync(grant, "bob", requestId: "hand-over"), NotHolderReason.Released);
        Assert.Equal(LeaseStatus.Free, (await GetAsync()).State);
    }

    [Fact]
    public async Task Transfer_RepeatedWithOtherContent_IsAConflict()
    {
        var grant = await GrantAsync("ann");
        await TransferAsync(grant, "bob", requestId: "hand-over");

        Refused<Refusal.Conflict, LeaseGrant>(await TransferAsync(grant, "cid", requestId: "hand-over"));
        Refused<Refusal.Conflict, LeaseGrant>(await TransferAsync(grant, "bob", T(6), "hand-over"));
    }

    [Fact]
    public async Task Transfer_WhileBeingBroken_IsAConflict()
    {
        var grant = await GrantAsync("ann");
        await BreakAsync(T(60));

        Refused<Refusal.Conflict, LeaseGrant>(await TransferAsync(grant, "bob"));

        Assert.Equal("ann", Assert.Single((await GetAsync()).Holders).Owner);
    }
}
