namespace OrleansLeases.Conformance.Suites;

/// <summary>POST /v1/leases/acquire: what a grant says, who is refused, and how tokens grow.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class AcquireSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    private const long MaxToken = (1L << 53) - 1;

    [Fact]
    public async Task Acquire_WhenFree_TellsAllOfTheGrant()
    {
        var grant = await GrantAsync(By("ann") with { RequestId = "first" });

        Assert.Equal(R, grant.Resource);
        Assert.Equal("ann", grant.Owner);
        Assert.InRange(grant.Token, 1, MaxToken);
        Assert.Equal(LeaseMode.Exclusive, grant.Mode);
        Assert.Equal(T(30), grant.Ttl);
        AssertTime(T(30), grant.Remaining);
        AssertSince(TimeSpan.Zero, grant.Elapsed);
        AssertTime(T(10), grant.RenewAfter);
        Assert.Equal("first", grant.RequestId);
        Assert.False(grant.Replayed);
    }

    [Fact]
    public async Task Acquire_WithoutRequestId_SaysWhichOneTheServiceMade()
    {
        var one = await GrantAsync(By("ann", "one"));
        var other = await GrantAsync(By("ann", "other"));

        Assert.InRange(one.RequestId.Length, 1, 128);
        Assert.NotEqual(one.RequestId, other.RequestId);
        Assert.Equal(one.Token, (await GrantAsync(By("ann", "one") with { RequestId = one.RequestId })).Token);
    }

    [Fact]
    public async Task Acquire_WhenAnotherHolds_TellsWhoAndForHowLong()
    {
        await GrantAsync("ann");
        await PassAsync(T(12));

        var held = await RefusedAsync<Refusal.Held>(By("bob"));

        var holder = Assert.Single(held.Holders);
        Assert.Equal("ann", holder.Owner);
        Assert.Equal(LeaseMode.Exclusive, holder.Mode);
        AssertTime(T(18), holder.Remaining);
        Assert.False(held.SameOwner);
        Assert.Equal(1, held.Position);
        AssertTime(T(18), held.RetryAfter);
        Assert.Contains("ann", held.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acquire_WhenTheOwnerHoldsAlready_IsHeldLikeForAnyone()
    {
        var grant = await GrantAsync("ann");

        var held = await RefusedAsync<Refusal.Held>(By("ann"));

        Assert.True(held.SameOwner);
        Assert.Equal("ann", Assert.Single(held.Holders).Owner);
        Assert.Equal(grant.Token, Assert.Single((await GetAsync()).Holders).Token);
    }

    [Fact]
    public async Task Acquire_WhenHeldAndRefused_ChangesNothing()
    {
        await GrantAsync("ann");
        var before = await GetAsync();

        await RefusedAsync<Refusal.Held>(By("bob"));

        var after = await GetAsync();
        Assert.Equal(before.Sequence, after.Sequence);
        Assert.Equal(before.LastToken, after.LastToken);
        Assert.Equal(0, after.Waiters);
    }

    [Fact]
    public async Task Acquire_WhenTheLeaseIsOver_IsGrantedAtItsDeadlineAndNotBefore()
    {
        var first = await GrantAsync("ann");
        var step = World.Blur > TimeSpan.Zero ? T(10) : TimeSpan.FromMilliseconds(1);
        await PassAsync(T(30) - step);
        AssertTime(step, (await RefusedAsync<Refusal.Held>(By("bob"))).RetryAfter);

        await PassAsync(step);

        var second = await GrantAsync("bob");
        Assert.True(second.Token > first.Token);
        AssertTime(T(30), second.Remaining);
    }

    [Fact]
    public async Task Acquire_AfterEveryKindOfEnd_TakesAHigherToken()
    {
        var tokens = new List<long>();
        var grant = await GrantAsync("released");
        tokens.Add(grant.Token);
        await ReleaseAsync(grant);
        tokens.Add((await GrantAsync("expired")).Token);
        await PassAsync(T(30));
        grant = await GrantAsync("transferred");
        tokens.Add(grant.Token);
        tokens.Add((await TransferAsync(grant, "broken")).Value.Token);
        await BreakAsync(TimeSpan.Zero, force: true);
        tokens.Add((await GrantAsync("last")).Token);

        Assert.Equal(tokens.Order().Distinct(), tokens);
        Assert.Equal(tokens[^1], (await GetAsync()).LastToken);
    }

    [Fact]
    public async Task Acquire_OfManyResources_GrantsEachOnItsOwn()
    {
        for (var i = 0; i < 20; i++) await GrantAsync(By("ann", $"fleet/{i}"));

        await ReleaseAsync(await GrantAsync(By("bob", "fleet/20")));

        for (var i = 0; i < 20; i++) Assert.Equal("ann", Assert.Single((await GetAsync($"fleet/{i}")).Holders).Owner);
    }

    [Fact]
    public async Task Acquire_ByManyAtOnce_GrantsOne()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 32).Select(i => Leases.AcquireAsync(By($"owner-{i}")).AsTask()));

        var winner = Assert.Single(answers, answer => answer.Refusal is null).Value;
        Assert.All(answers.Where(answer => answer.Refusal is not null), answer =>
            Assert.Equal(winner.Owner, Assert.Single(Refused<Refusal.Held, LeaseGrant>(answer).Holders).Owner));
    }

    [Fact]
    public async Task Acquire_WithTheLeastAndTheMostTtl_IsGranted()
    {
        Assert.Equal(Limits.MinTtl, (await GrantAsync(By("ann", "short") with { Ttl = Limits.MinTtl })).Ttl);
        var longest = await GrantAsync(By("ann", "long") with { Ttl = Limits.MaxTtl });
        Assert.Equal(Limits.MaxTtl, longest.Ttl);
        AssertTime(Limits.MaxTtl, longest.Remaining);
    }

    [Fact]
    public async Task Acquire_WithMetadata_ShowsItToAnyone()
    {
        var metadata = new Dictionary<string, string> { ["host"] = "node-7", ["for"] = "Größe 木 🔒", ["empty"] = "" };
        await GrantAsync(By("ann") with { Metadata = metadata });

        Assert.Equal(metadata, Assert.Single((await GetAsync()).Holders).Metadata);
    }
}
