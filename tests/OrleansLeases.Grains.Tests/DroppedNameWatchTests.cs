using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Storage;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>A watch that comes back to a name whose record another silo has dropped, at one that knows too low a floor.</summary>
public sealed class DroppedNameWatchTests
{
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Watch_ThatResumesAtASiloWhoseFloorsLag_SaysResync()
    {
        // Of one shard.
        const string r = "r";
        var mate = Enumerable.Range(0, 100_000).Select(i => $"m/{i}")
            .First(name => RecordFloor.ShardOf(name) == RecordFloor.ShardOf(r));
        var id = Cluster.NewServiceId();
        await using var one = await Cluster.OnPostgresAsync(id, configure: options => options.Retain = TimeSpan.FromHours(1));
        var store = one.Silo.GetRequiredService<LeaseStorage>().Store;
        await CycleAsync(mate);
        await DroppedAsync(mate);
        await using var two = await Cluster.OnPostgresAsync(id);
        for (var i = 0; i < 20; i++) await CycleAsync(r);
        await DroppedAsync(r);

        var watch = (await two.Leases.WatchAsync(new WatchRequest { Resource = r, Since = new WatchPoint(16) })).Value
            .GetAsyncEnumerator(CancellationToken.None);

        // It had seen 16 of 40 events.
        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(WaitTimeout));
        Assert.IsType<WatchEvent.Resync>(watch.Current);

        async Task CycleAsync(string name) =>
            await one.Leases.ReleaseAsync(Release((await one.Leases.AcquireAsync(Acquire(name, "me"))).Value));

        Task DroppedAsync(string name) => Calls.UntilAsync(async () =>
        {
            one.Time.Advance(TimeSpan.FromMinutes(5));
            return (await store.LoadAsync(RecordKind.Lease, name)).Version == 0;
        });
    }
}
