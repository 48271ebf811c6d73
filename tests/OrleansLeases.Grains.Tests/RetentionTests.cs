using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Storage;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>The sweepers of a cluster drop what is not in use.</summary>
public sealed class RetentionTests
{
    [Fact]
    public async Task Sweepers_DropWhatIsIdle_AndNothingElse()
    {
        await using var cluster = await Cluster.OnPostgresAsync(configure: options =>
        {
            options.Retain = TimeSpan.FromHours(1);
            options.RetainByPrefix["kept/"] = TimeSpan.Zero;
        });
        foreach (var name in new[] { "idle", "kept/1" })
        {
            await cluster.Leases.ReleaseAsync(Release((await cluster.Leases.AcquireAsync(Acquire(name, "me"))).Value));
            await cluster.Leases.PutKeyAsync(name, Put("x"));
            await cluster.Leases.DeleteKeyAsync(name);
        }

        var held = (await cluster.Leases.AcquireAsync(Acquire("held", "me") with { Ttl = TimeSpan.FromHours(10) })).Value;
        await cluster.Leases.PutKeyAsync("bound", Put("x", held));
        await cluster.Leases.PutKeyAsync("set", Put("x"));

        var store = cluster.Silo.GetRequiredService<LeaseStorage>().Store;
        // The skew of clocks counts twice besides.
        cluster.Time.Advance(TimeSpan.FromMinutes(80));
        await Calls.UntilAsync(async () =>
        {
            cluster.Time.Advance(TimeSpan.FromSeconds(5));
            return await VersionAsync(RecordKind.Lease, "idle") == 0 && await VersionAsync(RecordKind.Key, "idle") == 0;
        });

        Assert.True(await VersionAsync(RecordKind.Lease, "kept/1") > 0);
        Assert.True(await VersionAsync(RecordKind.Key, "kept/1") > 0);
        Assert.True(await VersionAsync(RecordKind.Lease, "held") > 0);
        foreach (var key in new[] { "bound", "set" }) Assert.Equal("x", (await cluster.Leases.GetKeyAsync(key)).Value.Value);
        Assert.Equal(TimeSpan.FromHours(1), (await cluster.Leases.InfoAsync()).Value.Retain);

        async Task<long> VersionAsync(RecordKind kind, string name) => (await store.LoadAsync(kind, name)).Version;
    }
}
