namespace OrleansLeases.Conformance.Suites;

/// <summary>POST /v1/leases/release: the holder's own word ends the lease at once.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class ReleaseSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task Release_ByTheHolder_FreesTheResourceAtOnce()
    {
        var grant = await GrantAsync("ann");

        var release = (await ReleaseAsync(grant)).Value;

        Assert.Equal(R, release.Resource);
        Assert.Equal(grant.Token, release.Token);
        Assert.False(release.Replayed);
        var info = await GetAsync();
        Assert.Equal(LeaseStatus.Free, info.State);
        Assert.Empty(info.Holders);
        Assert.Null(info.AvailableIn);
        Assert.Equal(grant.Token, info.LastToken);
        Assert.True((await GrantAsync("bob")).Token > grant.Token);
    }

    [Fact]
    public async Task Release_Repeated_IsReplayedWhileTheHistoryTells()
    {
        var grant = await GrantAsync("ann");
        await ReleaseAsync(grant);
        var next = await GrantAsync("bob");
        var sequence = (await GetAsync()).Sequence;

        var repeat = (await ReleaseAsync(grant)).Value;

        Assert.True(repeat.Replayed);
        Assert.Equal(grant.Token, repeat.Token);
        Assert.Equal(next.Token, Assert.Single((await GetAsync()).Holders).Token);
        Assert.Equal(sequence, (await GetAsync()).Sequence);
    }

    [Fact]
    public async Task Release_AfterTheLeaseEndedOtherwise_SaysWhy()
    {
        var expired = await GrantAsync("ann");
        await PassAsync(T(30));
        NotHolder(await ReleaseAsync(expired), NotHolderReason.Expired);
        var transferred = await GrantAsync("bob");
        var broken = (await TransferAsync(transferred, "cid")).Value;
        NotHolder(await ReleaseAsync(transferred), NotHolderReason.Transferred);
        await BreakAsync(TimeSpan.Zero, force: true);
        var refusal = NotHolder(await ReleaseAsync(broken), NotHolderReason.Broken);

        Assert.Equal(broken.Token, refusal.LastToken);
    }

    [Fact]
    public async Task Release_BySomeoneElse_IsRefusedAndFreesNothing()
    {
        var grant = await GrantAsync("ann");

        NotHolder(await ReleaseAsync(grant with { Owner = "bob" }), NotHolderReason.NeverHeld);
        NotHolder(await ReleaseAsync(grant with { Token = grant.Token + 1 }), NotHolderReason.NeverHeld);

        Assert.Equal("ann", Assert.Single((await GetAsync()).Holders).Owner);
    }

    [Fact]
    public async Task Release_WithTheTokenOfAnOlderGrant_LeavesTheNewOneAlone()
    {
        var old = await GrantAsync("ann");
        await PassAsync(T(30));
        var current = await GrantAsync("ann");

        NotHolder(await ReleaseAsync(old), NotHolderReason.Expired);

        Assert.Equal(current.Token, Assert.Single((await GetAsync()).Holders).Token);
    }

    [Fact]
    public async Task Release_WhileBeingBroken_EndsTheLeaseAtOnce()
    {
        var grant = await GrantAsync("ann");
        await BreakAsync(T(60));

        Assert.False((await ReleaseAsync(grant)).Value.Replayed);

        await GrantAsync("bob");
    }

    [Fact]
    public async Task Release_Repeated_OnceTheHistoryNoLongerTells_SaysSuperseded()
    {
        var grant = await GrantAsync("ann");
        await ReleaseAsync(grant);
        for (var i = 0; (await HistoryAsync()).FirstSequence <= 2; i++)
        {
            Assert.True(i < 1000, "The history should be bounded.");
            for (var j = 0; j < 50; j++) await ReleaseAsync(await GrantAsync("bob"));
        }

        NotHolder(await ReleaseAsync(grant), NotHolderReason.Superseded);
    }
}
