using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Core.Internal;
using Orleans.Runtime;
using OrleansLeases.Grains.Tests.Hosting;
using static OrleansLeases.Grains.Tests.Hosting.Calls;
using static OrleansLeases.Grains.Tests.Hosting.Requests;
using static OrleansLeases.Grains.Tests.Hosting.Watching;

namespace OrleansLeases.Grains.Tests;

/// <summary>What only Orleans can do to a watch: a grain that goes in the middle, a caller who goes, being called directly.</summary>
public sealed class WatchTests
{
    [Fact]
    public async Task Watch_OfAGrainThatIsDeactivatedInTheMiddle_MissesNothing_AndHoldsUpNobody()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        await using var ofLease = await StartAsync(cluster.ClientLeases, new() { Resource = "a" });
        await using var ofKey = await StartAsync(cluster.ClientLeases, new() { Key = "k" });
        Assert.IsType<WatchEvent.LeaseSnapshot>(await NextAsync(ofLease));
        Assert.IsType<WatchEvent.KeySnapshot>(await NextAsync(ofKey));

        for (var i = 1; i <= 5; i++)
        {
            // Somebody waits for the next event while the grain goes.
            var lease = NextAsync(ofLease);
            var key = NextAsync(ofKey);
            await cluster.Grains.GetLease("a").AsReference<IGrainManagementExtension>().DeactivateOnIdle();
            await cluster.Grains.GetKey("k").AsReference<IGrainManagementExtension>().DeactivateOnIdle();
            // The clock stands still, and a deactivation that waits for the watch would take 15 s of real time.
            var grant = (await cluster.Leases.AcquireAsync(Acquire("a", $"w{i}")).AsTask().WaitAsync(TimeSpan.FromSeconds(10))).Value;
            await cluster.Leases.PutKeyAsync("k", Put($"{i}")).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
            Assert.Equal(((2 * i) - 1, $"w{i}"), (Assert.IsType<WatchEvent.LeaseChanged>(await lease).Lease.Sequence, grant.Owner));
            Assert.Equal($"{i}", Assert.IsType<WatchEvent.KeyChanged>(await key).Key.Value);
            await cluster.Leases.ReleaseAsync(Release(grant));
            Assert.Equal(2 * i, (await NextAsync(ofLease)).ResumeFrom?.Sequence);
        }
    }

    [Fact]
    public async Task Watch_ThatIsDisposedOf_FreesTheSilosSide()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        var read = await StartAsync(cluster.ClientLeases, new() { Resource = "a" });
        await NextAsync(read);
        var unread = (await cluster.ClientLeases.WatchAsync(new() { Resource = "b" })).Value;
        await UntilAsync(() => Task.FromResult(Watched(cluster) == 2));

        await unread.DisposeAsync();
        await UntilAsync(() => Task.FromResult(Watched(cluster) == 1));
        await read.DisposeAsync();
        await UntilAsync(() => Task.FromResult(Watched(cluster) == 0));
    }

    [Fact]
    public async Task Watch_ThatIsCancelledWhileItWaits_FreesTheSilosSide()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        using var cancel = new CancellationTokenSource();
        await using var events = (await cluster.ClientLeases.WatchAsync(new() { Key = "k" })).Value.GetAsyncEnumerator(cancel.Token);
        await NextAsync(events);
        var next = events.MoveNextAsync().AsTask();
        Assert.Equal(1, Watched(cluster));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(WaitTimeout));
        await UntilAsync(() => Task.FromResult(Watched(cluster) == 0));
    }

    [Fact]
    public async Task Watch_WhereTheRecordCannotBeRead_IsRefused()
    {
        await using var cluster = await Cluster.InMemoryAsync(FaultyStorage.Install);
        for (var i = 0; i < 2; i++) FaultyStorage.Of(cluster.Silo).Reads.Enqueue(_ => throw new IOException("The disk is gone."));
        Assert.IsType<Refusal.Unavailable>((await cluster.ClientLeases.WatchAsync(new() { Resource = "a" })).Refusal);
        Assert.IsType<Refusal.Unavailable>((await cluster.ClientLeases.WatchAsync(new() { Key = "k" })).Refusal);
    }

    [Fact]
    public async Task PrefixWatch_ThatIsNotRead_HoldsUpNobody_AndSaysResync()
    {
        // More than all queues on the way hold.
        const int Last = 12_000;
        await using var cluster = await Cluster.InMemoryAsync();
        await using var events = await StartAsync(cluster.ClientLeases, new() { Prefix = "" });
        var key = cluster.Grains.GetKey("k");
        for (var i = 0; i < Last; i += 100)
        {
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => key.AddAsync(new AddToCounterRequest { Delta = 1 })));
        }

        var seen = 0L;
        WatchEvent told;
        while ((told = await NextAsync(events)) is WatchEvent.KeyChanged { Key.Version: var version }) Assert.Equal(++seen, version);
        Assert.IsType<WatchEvent.Resync>(told);
        Assert.InRange(seen, 1, Last - 1);

        await cluster.Leases.PutKeyAsync("k", Put("after"));
        Assert.Equal("after", Assert.IsType<WatchEvent.KeyChanged>(await NextAsync(events)).Key.Value);
    }

    [Fact]
    public async Task PrefixWatch_WhoseGrainsAreDeactivated_SaysResync_AndGoesOn()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        await using var events = await StartAsync(cluster.ClientLeases, new() { Prefix = "k" });
        var next = NextAsync(events);
        var silo = cluster.Silo.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        await cluster.Grains.GetGrain<ISiloWatchGrain>(silo.ToParsableString()).AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        Assert.IsType<WatchEvent.Resync>(await next);
        await cluster.Leases.PutKeyAsync("k/1", Put("after"));
        Assert.Equal("k/1", Assert.IsType<WatchEvent.KeyChanged>(await NextAsync(events)).Key.Key);
    }

    [Fact]
    public async Task PrefixWatch_OfAKeyThatMoves_TellsEachChangeOnce()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        await using var events = await StartAsync(cluster.ClientLeases, new() { Prefix = "k" });
        for (var i = 1; i <= 5; i++)
        {
            await cluster.Leases.PutKeyAsync("k", Put($"{i}"));
            await cluster.Grains.GetKey("k").AsReference<IGrainManagementExtension>().DeactivateOnIdle();
            Assert.Equal(i, Assert.IsType<WatchEvent.KeyChanged>(await NextAsync(events)).Key.Version);
        }
    }

    [Fact]
    public async Task PrefixWatch_ThatIsDisposedOf_FreesTheSilosSide()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        var silo = cluster.Silo.GetRequiredService<LeaseSilo>();
        var read = await StartAsync(cluster.ClientLeases, new() { Prefix = "a" });
        var unread = (await cluster.ClientLeases.WatchAsync(new() { Prefix = "b" })).Value;
        var waiting = read.MoveNextAsync().AsTask();
        await cluster.Leases.PutKeyAsync("a", Put("1"));
        Assert.True(await waiting.WaitAsync(WaitTimeout));
        Assert.Equal(2, silo.Prefixes.Count);

        await unread.DisposeAsync();
        await UntilAsync(() => Task.FromResult(silo.Prefixes.Count == 1));
        await read.DisposeAsync();
        await UntilAsync(() => Task.FromResult(silo.Prefixes.Count == 0));
    }

    [Fact]
    public async Task DirectWatch_BeginsAtOnce_ThoughThereIsNothingToTell()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        await cluster.Leases.PutKeyAsync("k", Put("1"));
        await using var portions = cluster.Grains.GetKey("k").WatchAsync(new WatchPoint(1)).GetAsyncEnumerator();
        Assert.True(await portions.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Empty(portions.Current.Value);

        await cluster.Leases.PutKeyAsync("k", Put("2"));

        Assert.True(await portions.MoveNextAsync().AsTask().WaitAsync(WaitTimeout));
        Assert.Equal("2", Assert.IsType<WatchEvent.KeyChanged>(Assert.Single(portions.Current.Value)).Key.Value);
    }

    [Fact]
    public async Task DirectWatch_FromABadPlace_IsRefused_AndEnds()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        await using var portions = cluster.Grains.GetLease("a").WatchAsync(new WatchPoint(-1)).GetAsyncEnumerator();
        Assert.True(await portions.MoveNextAsync());
        Assert.Contains("since", Assert.IsType<Refusal.InvalidRequest>(portions.Current.Refusal).Errors.Keys);
        Assert.False(await portions.MoveNextAsync());
    }

    private static int Watched(Cluster cluster) => cluster.Silo.GetRequiredService<LeaseSilo>().WatchedRecords;
}
