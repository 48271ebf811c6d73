namespace OrleansLeases.Conformance.Suites;

/// <summary>POST /v1/leases/renew: it extends from now, keeps the token, and never moves the deadline earlier.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class RenewSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Fact]
    public async Task Renew_ByTheHolder_ExtendsFromNowAndKeepsTheToken()
    {
        var grant = await GrantAsync("ann");
        await PassAsync(T(12));

        var renewal = (await RenewAsync(grant)).Value;

        Assert.Equal(R, renewal.Resource);
        Assert.Equal(grant.Token, renewal.Token);
        Assert.Equal(T(30), renewal.Ttl);
        AssertTime(T(30), renewal.Remaining);
        AssertSince(TimeSpan.Zero, renewal.Elapsed);
        AssertTime(T(10), renewal.RenewAfter);
        Assert.Null(renewal.Breaking);
        AssertTime(T(30), Assert.Single((await GetAsync()).Holders).Remaining);
    }

    [Fact]
    public async Task Renew_AgainAndAgain_KeepsTheLeaseFarBeyondItsTtl()
    {
        var grant = await GrantAsync("ann");
        for (var i = 0; i < 20; i++)
        {
            await PassAsync(T(20));
            AssertTime(T(30), (await RenewAsync(grant)).Value.Remaining);
        }

        await PassAsync(T(25));
        await RefusedAsync<Refusal.Held>(By("bob"));
        await PassAsync(T(5));
        Assert.True((await GrantAsync("bob")).Token > grant.Token);
    }

    [Fact]
    public async Task Renew_WithALongerTtl_KeepsItForTheRenewalsThatFollow()
    {
        var grant = await GrantAsync("ann");

        var renewal = (await RenewAsync(grant, T(90))).Value;
        Assert.Equal(T(90), renewal.Ttl);
        AssertTime(T(90), renewal.Remaining);
        AssertTime(T(30), renewal.RenewAfter);

        await PassAsync(T(60));
        renewal = (await RenewAsync(grant)).Value;
        Assert.Equal(T(90), renewal.Ttl);
        AssertTime(T(90), renewal.Remaining);
    }

    [Fact]
    public async Task Renew_WithAShorterTtl_NeverMovesTheDeadlineEarlier()
    {
        var grant = await GrantAsync("ann");
        await PassAsync(T(6));

        var renewal = (await RenewAsync(grant, T(6))).Value;

        Assert.Equal(T(6), renewal.Ttl);
        AssertTime(T(24), renewal.Remaining);
        AssertTime(T(2), renewal.RenewAfter);
        await PassAsync(T(22));
        await RefusedAsync<Refusal.Held>(By("bob"));
        AssertTime(T(6), (await RenewAsync(grant)).Value.Remaining);
        await PassAsync(T(6));
        await GrantAsync("bob");
    }

    [Fact]
    public async Task Renew_UpToTheDeadline_WorksAndFromThenOnSaysExpired()
    {
        var grant = await GrantAsync("ann");
        var step = World.Blur > TimeSpan.Zero ? T(10) : TimeSpan.FromMilliseconds(1);
        await PassAsync(T(30) - step);
        AssertTime(T(30), (await RenewAsync(grant)).Value.Remaining);

        await PassAsync(T(30));

        var refusal = NotHolder(await RenewAsync(grant), NotHolderReason.Expired);
        Assert.Equal(grant.Token, refusal.LastToken);
        Assert.Equal(LeaseStatus.Free, (await GetAsync()).State);
    }

    [Fact]
    public async Task Renew_AfterAnotherWasGranted_StillSaysWhyTheLeaseEnded()
    {
        var expired = await GrantAsync("ann");
        await PassAsync(T(30));
        var released = await GrantAsync("bob");
        await ReleaseAsync(released);
        var transferred = await GrantAsync("cid");
        var broken = (await TransferAsync(transferred, "dan")).Value;
        await BreakAsync(TimeSpan.Zero, force: true);
        var last = await GrantAsync("eve");

        Assert.Equal(last.Token, NotHolder(await RenewAsync(expired), NotHolderReason.Expired).LastToken);
        Assert.Equal(last.Token, NotHolder(await RenewAsync(released), NotHolderReason.Released).LastToken);
        Assert.Equal(last.Token, NotHolder(await RenewAsync(transferred), NotHolderReason.Transferred).LastToken);
        Assert.Equal(last.Token, NotHolder(await RenewAsync(broken), NotHolderReason.Broken).LastToken);
        AssertTime(T(30), (await RenewAsync(last)).Value.Remaining);
    }

    [Fact]
    public async Task Renew_WithATokenNeverGranted_SaysNeverHeld()
    {
        var grant = await GrantAsync("ann");

        var refusal = NotHolder(await RenewAsync(grant with { Token = grant.Token + 1 }), NotHolderReason.NeverHeld);

        Assert.Equal(grant.Token, refusal.LastToken);
    }

    [Fact]
    public async Task Renew_OfAnUnusedName_SaysNeverHeldWithLastTokenZero()
    {
        var refusal = NotHolder(
            await Leases.RenewAsync(new RenewRequest { Resource = "unused", Owner = "ann", Token = 1 }), NotHolderReason.NeverHeld);

        Assert.Equal(0, refusal.LastToken);
    }

    [Fact]
    public async Task Renew_ByAnotherOwner_SaysNeverHeldAndExtendsNothing()
    {
        var grant = await GrantAsync("ann");
        await PassAsync(T(20));

        NotHolder(await RenewAsync(grant with { Owner = "bob" }), NotHolderReason.NeverHeld);

        AssertTime(T(10), Assert.Single((await GetAsync()).Holders).Remaining);
    }

    [Fact]
    public async Task Renew_OnceTheHistoryNoLongerTells_SaysSuperseded()
    {
        var grant = await GrantAsync("ann");
        await ReleaseAsync(grant);
        for (var i = 0; (await HistoryAsync()).FirstSequence <= 2; i++)
        {
            Assert.True(i < 1000, "The history should be bounded.");
            for (var j = 0; j < 50; j++) await ReleaseAsync(await GrantAsync("bob"));
        }

        var refusal = NotHolder(await RenewAsync(grant), NotHolderReason.Superseded);

        Assert.Equal((await GetAsync()).LastToken, refusal.LastToken);
    }
}
