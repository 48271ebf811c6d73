namespace OrleansLeases.Conformance.Suites;

/// <summary>Mode <c>shared</c>: any number of readers, or as many holders as the capacity says.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class SharedLeasesSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    protected override LeaseLimits Limits => new() { MaxHolders = 5 };

    [Fact]
    public async Task Shared_WithoutCapacity_LetsReadersInTogether()
    {
        var ann = await GrantAsync(Shared("ann"));
        var bob = await GrantAsync(Shared("bob"));

        Assert.Equal(LeaseMode.Shared, ann.Mode);
        Assert.True(bob.Token > ann.Token);
        var info = await GetAsync();
        Assert.Equal(LeaseStatus.Held, info.State);
        Assert.Null(info.Capacity);
        Assert.Null(info.AvailableIn);
        Assert.Equal(
            [("ann", ann.Token, LeaseMode.Shared), ("bob", bob.Token, LeaseMode.Shared)],
            info.Holders.Select(holder => (holder.Owner, holder.Token, holder.Mode)));
    }

    [Fact]
    public async Task Shared_AndExclusive_KeepEachOtherOut()
    {
        var reader = await GrantAsync(Shared("ann"));
        Assert.Equal(LeaseMode.Shared, Assert.Single((await RefusedAsync<Refusal.Held>(By("bob"))).Holders).Mode);
        await ReleaseAsync(reader);
        await GrantAsync("bob");

        await RefusedAsync<Refusal.Held>(Shared("ann"));
        await RefusedAsync<Refusal.Held>(Shared("ann", 3));
    }

    [Fact]
    public async Task Shared_WithCapacity_LetsInAsManyAndNoMore()
    {
        var first = await GrantAsync(Shared("one", 3) with { Ttl = T(60) });
        await GrantAsync(Shared("two", 3) with { Ttl = T(20) });
        await GrantAsync(Shared("three", 3));

        var held = await RefusedAsync<Refusal.Held>(Shared("four", 3));

        Assert.Equal(["one", "two", "three"], held.Holders.Select(holder => holder.Owner));
        AssertTime(T(20), held.RetryAfter);
        var info = await GetAsync();
        Assert.Equal(3, info.Capacity);
        AssertTime(T(20), info.AvailableIn!.Value);
        await ReleaseAsync(first);
        Assert.Null((await GetAsync()).AvailableIn);
        await GrantAsync(Shared("four", 3));
    }

    [Fact]
    public async Task Shared_ByManyAtOnce_NeverExceedsTheCapacity()
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 24).Select(i => Leases.AcquireAsync(Shared($"owner-{i}", 4)).AsTask()));

        Assert.Equal(4, answers.Count(answer => answer.Refusal is null));
        Assert.Equal(4, (await GetAsync()).Holders.Count);
    }

    [Fact]
    public async Task Shared_WithAnotherCapacity_IsAConflictWhileItHasAHolder()
    {
        var grant = await GrantAsync(Shared("ann", 3));

        Assert.Equal(3, (await RefusedAsync<Refusal.Conflict>(Shared("bob", 2))).Current);
        Assert.Equal(3, (await RefusedAsync<Refusal.Conflict>(Shared("bob"))).Current);

        await ReleaseAsync(grant);
        await GrantAsync(Shared("bob", 2));
        Assert.Equal(2, (await GetAsync()).Capacity);
    }

    [Fact]
    public async Task Shared_WithACapacity_IsAConflictWhileReadersHoldWithoutOne()
    {
        await GrantAsync(Shared("ann"));

        Assert.Null((await RefusedAsync<Refusal.Conflict>(Shared("bob", 2))).Current);
    }

    [Fact]
    public async Task Shared_WithAnotherCapacity_IsAConflictWhileOneWaits()
    {
        await GrantAsync("writer");
        var waiting = await WaitInQueueAsync(Shared("ann", 3));

        Assert.Equal(3, (await RefusedAsync<Refusal.Conflict>(Shared("bob", 2))).Current);
        Assert.False(waiting.IsCompleted);
    }

    [Fact]
    public async Task Shared_OnceTheLastHolderIsGone_HasNoCapacity()
    {
        await GrantAsync(Shared("ann", 3));
        await PassAsync(T(30));

        Assert.Null((await GetAsync()).Capacity);
        await GrantAsync(Shared("bob"));
    }

    [Fact]
    public async Task Shared_TwiceByOneOwner_IsHeldWithSameOwner()
    {
        await GrantAsync(Shared("ann", 3));

        Assert.True((await RefusedAsync<Refusal.Held>(Shared("ann", 3))).SameOwner);
        Assert.Single((await GetAsync()).Holders);
    }

    [Fact]
    public async Task Shared_HoldersEndEachOnItsOwn()
    {
        var ann = await GrantAsync(Shared("ann", 2) with { Ttl = T(6) });
        var bob = await GrantAsync(Shared("bob", 2));
        await PassAsync(T(6));

        NotHolder(await RenewAsync(ann), NotHolderReason.Expired);
        AssertTime(T(30), (await RenewAsync(bob)).Value.Remaining);
        Assert.Equal("bob", Assert.Single((await GetAsync()).Holders).Owner);
        Assert.Equal(2, (await GetAsync()).Capacity);
    }

    [Fact]
    public async Task ExclusiveWaiter_KeepsLaterReadersFromOvertaking()
    {
        var reader = await GrantAsync(Shared("ann"));
        var writer = await WaitInQueueAsync(By("writer"));

        Assert.Equal(2, (await RefusedAsync<Refusal.Held>(Shared("bob"))).Position);
        var late = await WaitInQueueAsync(Shared("cid"));
        await ReleaseAsync(reader);

        var writing = await GrantedAsync(writer);
        Assert.False(late.IsCompleted);
        await ReleaseAsync(writing);
        await GrantedAsync(late);
    }

    [Fact]
    public async Task ExclusiveWaiter_ThatWaitsItsTimeOut_LetsTheReadersBehindItIn()
    {
        await GrantAsync(Shared("ann"));
        var writer = await WaitInQueueAsync(By("writer") with { Wait = T(6) });
        var reader = await WaitInQueueAsync(Shared("bob"));

        await PassAsync(T(6));

        await RefusedAsync<Refusal.Held>(writer);
        Assert.Equal("bob", (await GrantedAsync(reader)).Owner);
    }

    [Fact]
    public async Task SharedWaiters_AreServedTogetherUpToTheCapacity()
    {
        var writer = await GrantAsync("writer");
        var one = await WaitInQueueAsync(Shared("one", 2));
        var two = await WaitInQueueAsync(Shared("two", 2));
        var three = await WaitInQueueAsync(Shared("three", 2));

        await ReleaseAsync(writer);

        var first = await GrantedAsync(one);
        var second = await GrantedAsync(two);
        Assert.True(second.Token > first.Token);
        Assert.False(three.IsCompleted);
        await ReleaseAsync(first);
        Assert.True((await GrantedAsync(three)).Token > second.Token);
    }

    [Fact]
    public async Task Shared_BeyondTheMostHolders_IsALimit()
    {
        for (var i = 0; i < 5; i++) await GrantAsync(Shared($"reader-{i}"));

        var limit = await RefusedAsync<Refusal.LimitReached>(Shared("one-more"));

        Assert.Equal("holders", limit.Limit);
        Assert.Contains("5", limit.Detail, StringComparison.Ordinal);
        Assert.True(limit.RetryAfter > TimeSpan.Zero);
    }
}
