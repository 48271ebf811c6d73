namespace OrleansLeases.Conformance.Suites;

/// <summary>GET /v1/leases/{resource}: the state of one resource.</summary>
/// <typeparam name="TWorld">The implementation under test.</typeparam>
public abstract class ReadsSuite<TWorld> : LeaseSuite<TWorld>
    where TWorld : LeaseWorld, new()
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Get_OfAnUnusedName_IsFreeWithLastTokenZero(bool consistent)
    {
        var info = await GetAsync("unused", consistent);

        Assert.Equal("unused", info.Resource);
        Assert.Equal(LeaseStatus.Free, info.State);
        Assert.Empty(info.Holders);
        Assert.Null(info.Capacity);
        Assert.Null(info.AvailableIn);
        Assert.Equal(0, info.LastToken);
        Assert.Equal(0, info.Waiters);
        Assert.Equal(0, info.Sequence);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Get_OfAHeldResource_TellsTheHolder(bool consistent)
    {
        var grant = await GrantAsync(By("ann") with { Metadata = new Dictionary<string, string> { ["host"] = "node-7" } });
        await PassAsync(T(12));

        var info = await GetAsync(consistent: consistent);

        Assert.Equal(LeaseStatus.Held, info.State);
        var holder = Assert.Single(info.Holders);
        Assert.Equal("ann", holder.Owner);
        Assert.Equal(grant.Token, holder.Token);
        Assert.Equal(LeaseMode.Exclusive, holder.Mode);
        Assert.Equal(T(30), holder.Ttl);
        AssertTime(T(18), holder.Remaining);
        Assert.Equal([new("host", "node-7")], holder.Metadata);
        Assert.Empty(holder.Keys);
        AssertTime(T(18), info.AvailableIn!.Value);
        Assert.Null(info.Capacity);
        Assert.Equal(grant.Token, info.LastToken);
        Assert.Equal(0, info.Waiters);
        Assert.Equal(1, info.Sequence);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Get_AfterARenewal_TellsTheNewDeadline(bool consistent)
    {
        var grant = await GrantAsync("ann");
        await PassAsync(T(20));
        await RenewAsync(grant);

        AssertTime(T(30), Assert.Single((await GetAsync(consistent: consistent)).Holders).Remaining);
    }

    [Fact]
    public async Task Get_OfAnExpiredLease_IsFreeAndKeepsTheLastToken()
    {
        var grant = await GrantAsync("ann");
        await PassAsync(T(30));

        var info = await GetAsync();

        Assert.Equal(LeaseStatus.Free, info.State);
        Assert.Empty(info.Holders);
        Assert.Equal(grant.Token, info.LastToken);
        Assert.Equal(2, info.Sequence);
    }

    [Fact]
    public async Task Get_WithoutMetadata_TellsAnEmptyOne()
    {
        await GrantAsync("ann");

        Assert.Empty(Assert.Single((await GetAsync()).Holders).Metadata);
    }

    [Fact]
    public async Task Get_WhileSomeWait_CountsThem()
    {
        await GrantAsync("ann");
        await WaitInQueueAsync(By("bob"));
        await WaitInQueueAsync(By("cid"));

        Assert.Equal(2, (await GetAsync()).Waiters);
    }

    [Fact]
    public async Task Get_ChangesNothing()
    {
        await GrantAsync("ann");
        for (var i = 0; i < 5; i++) await GetAsync(consistent: i % 2 == 0);

        Assert.Equal(1, (await GetAsync()).Sequence);
    }
}
