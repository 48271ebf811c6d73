using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.TestingHost;
using OrleansLeases.Grains.Tests.Hosting;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>Leases live on the silos that have them.</summary>
public sealed class PlacementTests
{
    [Fact]
    public async Task SiloWithoutLeases_HasNoneOfTheirGrains()
    {
        var database = await TestDatabase.ConnectionStringAsync();
        var builder = new InProcessTestClusterBuilder(2);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.ServiceId = Cluster.NewServiceId();
        var with = 0;
        builder.ConfigureSilo((_, silo) =>
        {
            if (Interlocked.Increment(ref with) == 1) silo.AddLeases(database, options => options.ClockSkew = TimeSpan.FromMinutes(10));
        });
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        var without = cluster.Silos.Select(silo => silo.ServiceProvider).Single(services => services.GetService<LeaseSilo>() is null);
        var grains = without.GetRequiredService<IGrainFactory>();

        foreach (var name in Enumerable.Range(0, 20).Select(number => $"a/{number}"))
        {
            Assert.Equal(1, (await grains.GetLease(name).AcquireAsync(Acquire(name, "me"))).Value.Token);
            Assert.Equal(1, (await grains.GetKey(name).PutAsync(Put("1"))).Value.Version);
        }

        Assert.Equal("orleans", (await grains.GetGrain<ILeaseServiceGrain>(0).InfoAsync()).Value.Engine);
    }
}
