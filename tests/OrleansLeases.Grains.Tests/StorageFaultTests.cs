using Orleans.Storage;
using OrleansLeases.Grains.Tests.Hosting;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>What a storage may do to a grain, and what the caller is told. On PostgreSQL, called by a client: no provider's exception gets out.</summary>
public sealed class StorageFaultTests : IAsyncLifetime
{
    private Cluster _cluster = null!;

    private FaultyStorage Storage => FaultyStorage.Of(_cluster);

    private ILeaseService Leases => _cluster.ClientLeases;

    public async Task InitializeAsync() => _cluster = await Cluster.OnPostgresAsync(
        also: FaultyStorage.Install, configure: options => options.StorageTimeout = TimeSpan.FromMilliseconds(200));

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task Write_ThatThrowsBefore_IsUnknown_AndTheRepeatGrants()
    {
        Storage.Writes.Enqueue(_ => throw new IOException("the cable"));
        var unknown = Assert.IsType<Refusal.OutcomeUnknown>((await Leases.AcquireAsync(Acquire("a", "me", "id-1"))).Refusal);
        Assert.Equal("id-1", unknown.RequestId);
        var grant = (await Leases.AcquireAsync(Acquire("a", "me", "id-1"))).Value;
        Assert.False(grant.Replayed);
        Assert.Equal(1, grant.Token);
    }

    [Fact]
    public async Task Write_ThatThrowsAfter_IsUnknown_AndTheRepeatTellsOfTheSameGrant()
    {
        Storage.Writes.Enqueue(async write =>
        {
            await write();
            throw new IOException("the cable");
        });
        Assert.IsType<Refusal.OutcomeUnknown>((await Leases.AcquireAsync(Acquire("a", "me", "id-1"))).Refusal);
        Assert.IsType<Refusal.Held>((await Leases.AcquireAsync(Acquire("a", "other"))).Refusal);
        var grant = (await Leases.AcquireAsync(Acquire("a", "me", "id-1"))).Value;
        Assert.True(grant.Replayed);
        Assert.Equal(1, grant.Token);
    }

    [Fact]
    public async Task Write_ThatHangs_AndLandsLater_IsUnknown_AndIsFoundByTheRepeat()
    {
        var release = new TaskCompletionSource();
        var landed = new TaskCompletionSource();
        Storage.Writes.Enqueue(async write =>
        {
            await release.Task;
            await write();
            landed.SetResult();
        });
        Assert.IsType<Refusal.OutcomeUnknown>((await Leases.AcquireAsync(Acquire("a", "me", "id-1"))).Refusal);
        // Meanwhile another has looked at the record and found it free; the late write comes between that and its own.
        Storage.Writes.Enqueue(async write =>
        {
            release.SetResult();
            await landed.Task;
            await write();
        });
        Assert.IsType<Refusal.Held>((await Leases.AcquireAsync(Acquire("a", "other"))).Refusal);
        Assert.True((await Leases.AcquireAsync(Acquire("a", "me", "id-1"))).Value.Replayed);
    }

    [Fact]
    public async Task Write_ThatLost_IsTriedOnceMore()
    {
        Storage.Writes.Enqueue(_ => throw new InconsistentStateException("lost"));
        Assert.Null((await Leases.AcquireAsync(Acquire("a", "me"))).Refusal);
        Storage.Writes.Enqueue(_ => throw new InconsistentStateException("lost"));
        Storage.Writes.Enqueue(_ => throw new InconsistentStateException("lost"));
        Assert.IsType<Refusal.Unavailable>((await Leases.AcquireAsync(Acquire("b", "me"))).Refusal);
    }

    [Fact]
    public async Task Write_ThatTheDatabaseRefuses_IsUnavailable_AndNothingChanged()
    {
        var grant = (await Leases.AcquireAsync(Acquire("a", "me"))).Value;
        Storage.Surely = error => error is IOException;
        Storage.Writes.Enqueue(_ => throw new IOException("disk full"));
        Assert.IsType<Refusal.Unavailable>((await Leases.ReleaseAsync(Release(grant))).Refusal);
        Assert.Equal(LeaseStatus.Held, (await Leases.GetAsync(new GetLeaseRequest { Resource = "a" })).Value.State);
        Assert.Null((await Leases.ReleaseAsync(Release(grant))).Refusal);
    }

    [Fact]
    public async Task Read_ThatFailsOrHangs_IsUnavailable()
    {
        Storage.Reads.Enqueue(_ => throw new IOException("the cable"));
        Assert.IsType<Refusal.Unavailable>((await Leases.AcquireAsync(Acquire("a", "me"))).Refusal);
        Storage.Reads.Enqueue(_ => new TaskCompletionSource().Task);
        Assert.IsType<Refusal.Unavailable>((await Leases.AcquireAsync(Acquire("b", "me"))).Refusal);
        Assert.Null((await Leases.AcquireAsync(Acquire("b", "me"))).Refusal);
    }

    [Fact]
    public async Task Trouble_KeepsTheSiloFromClaiming_AndMakesItNotReady()
    {
        var held = (await Leases.AcquireAsync(Acquire("a", "me"))).Value;
        Storage.Trouble = "the clock is off";
        Assert.Contains("the clock is off", Assert.IsType<Refusal.Unavailable>((await Leases.AcquireAsync(Acquire("b", "me"))).Refusal).Detail, StringComparison.Ordinal);
        Assert.Contains("the clock is off", Assert.IsType<Refusal.Unavailable>((await Leases.InfoAsync()).Refusal).Detail, StringComparison.Ordinal);
        // What it has claimed it goes on with.
        Assert.Null((await Leases.RenewAsync(Renew(held))).Refusal);
        Storage.Trouble = null;
        Assert.Null((await Leases.AcquireAsync(Acquire("b", "me"))).Refusal);
        Assert.Null((await Leases.InfoAsync()).Refusal);
    }
}
