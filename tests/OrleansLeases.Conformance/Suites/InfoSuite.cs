namespace OrleansLeases.Conformance.Suites;

/// <summary>GET /v1/info: what the service is, and the grace it promises to free an abandoned lease within.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class InfoSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    protected override LeaseLimits Limits =>
        new()
        {
            MaxHolders = 17, MaxWaiters = 18, MaxBatch = 19, MaxKeys = 20, MaxTtl = TimeSpan.FromHours(1),
            MaxWait = TimeSpan.FromSeconds(20),
        };

    [Fact]
    public async Task Info_TellsWhatTheServiceIs()
    {
        var info = (await Leases.InfoAsync()).Value;

        Assert.Equal(World.Engine, info.Engine);
        Assert.Equal(World.Durable, info.Durable);
        Assert.Equal(0, info.Epoch);
        Assert.Matches(@"^\d+\.\d+\.\d+", info.Version);
        Assert.Equal(Limits, info.Limits);
        Assert.True(info.Grace >= TimeSpan.Zero);
        Assert.Equal(TimeSpan.FromDays(30), info.Retain);
    }

    [Fact]
    public async Task Members_AreReadyAndTellWhatTheyHave()
    {
        await GrantAsync("ann");
        var waiting = await WaitInQueueAsync(By("bob"));

        var members = (await Leases.ListMembersAsync()).Value.Members;

        var version = (await Leases.InfoAsync()).Value.Version;
        Assert.All(members, member => Assert.Equal((MemberState.Ready, null, version), (member.State, member.Detail, member.Version)));
        Assert.All(members, member => Assert.NotEmpty(member.Name));
        Assert.True(members.Sum(member => member.Held) >= 1, "Nobody has the lease.");
        Assert.True(members.Sum(member => member.Waiters) >= 1, "Nobody has the queue.");
        Assert.False(waiting.IsCompleted);
    }

    [Fact]
    public async Task Grace_IsKeptForAnAbandonedLease()
    {
        var info = (await Leases.InfoAsync()).Value;
        await GrantAsync("ann");

        await PassAsync(T(30) + info.Grace);

        await GrantAsync("bob");
    }

    [Fact]
    public async Task Limits_AreTheOnesInForce()
    {
        Assert.Equal(["ttlMs"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { Ttl = TimeSpan.FromHours(2) })).Errors.Keys);
        Assert.Equal(
            ["waitMs"], (await RefusedAsync<Refusal.InvalidRequest>(By("ann") with { Wait = TimeSpan.FromSeconds(21) })).Errors.Keys);
        Assert.Equal(["capacity"], (await RefusedAsync<Refusal.InvalidRequest>(Shared("ann", 18))).Errors.Keys);
        Assert.Equal(17, (await GrantAsync(Shared("ann", 17)) is { } ? (await GetAsync()).Capacity : null));
    }
}
