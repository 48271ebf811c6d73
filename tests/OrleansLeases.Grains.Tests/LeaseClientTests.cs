using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Client;
using OrleansLeases.Grains.Tests.Hosting;

namespace OrleansLeases.Grains.Tests;

/// <summary>Handles in the services of silos and of their clients.</summary>
public sealed class LeaseClientTests
{
    [Fact]
    public async Task SiloAndClient_HaveALeaseClient_OnTheirOwnService()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        foreach (var services in new[] { cluster.Silo, cluster.Client })
        {
            var leases = services.GetRequiredService<LeaseClient>();
            await using var lease = await leases.AcquireAsync("orders/42");

            Assert.Same(services.GetRequiredService<ILeaseService>(), leases.Service);
            Assert.Equal(LeaseStatus.Held, (await cluster.Leases.GetAsync(new() { Resource = "orders/42" })).Value.State);
            Assert.True(lease.IsValid());
        }
    }

    [Fact]
    public async Task LeaseClient_HasTheOptionsAmongTheServices()
    {
        await using var cluster =
            await Cluster.InMemoryAsync(silo => silo.Services.AddSingleton(new LeaseClientOptions { Owner = "worker-7" }));

        Assert.Equal("worker-7", cluster.Silo.GetRequiredService<LeaseClient>().Owner);
    }
}
