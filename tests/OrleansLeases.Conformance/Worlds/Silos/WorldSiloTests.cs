using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Core;
using OrleansLeases.Grains;

namespace OrleansLeases.Conformance.Worlds.Silos;

/// <summary>Tests that use one silo after the other must know nothing of each other.</summary>
public sealed class WorldSiloTests
{
    [Fact]
    public async Task Silo_IsSettled_OnceNoCleanUpIsLeftForTheNextTest()
    {
        var silo = await WorldSilo.StartAsync(silo => silo.AddLeases());
        await using var cluster = silo.Cluster;
        var leases = silo.Services.GetRequiredService<ILeaseService>();
        var grant = (await leases.AcquireAsync(new() { Resource = "r", Owner = "ann", Ttl = TimeSpan.FromSeconds(30) })).Value;
        var lease = new KeyLease { Resource = "r", Owner = "ann", Token = grant.Token };
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => leases.PutKeyAsync($"k{i}", new() { Value = "", Lease = lease }).AsTask()));
        await leases.ReleaseAsync(new() { Resource = "r", Owner = "ann", Token = grant.Token });
        var cleaner = silo.Services.GetRequiredService<KeyCleaner>();

        Assert.True(await silo.TrySettleAsync());

        Assert.Equal(0, cleaner.Outstanding);
    }
}
