using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrleansLeases.Grains.Tests.Hosting;

namespace OrleansLeases.Grains.Tests;

/// <summary>The README's examples for Orleans applications.</summary>
public sealed class ReadmeExamples
{
    [Fact]
    public void Silo_HasLeases()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);

        // README: Add leases to your Orleans application
        builder.UseOrleans(silo =>
        {
            // … clustering, as you have it
            silo.AddLeases("Host=db;Database=leases;Username=leases;Password=…");
        });

        // README: end
        Assert.Single(builder.Services, service => service.ServiceType == typeof(ILeaseService));
    }

    [Fact]
    public async Task Grain_IsGrantedALease()
    {
        await using var cluster = await Cluster.InMemoryAsync();
        var grains = cluster.Grains;

        // README: A resource's grain
        var result = await grains.GetLease("orders/42").AcquireAsync(new AcquireRequest
        {
            Resource = "orders/42", Owner = "worker-1", Ttl = TimeSpan.FromSeconds(30), RequestId = "try-1",
        });

        // README: end
        Assert.Equal("worker-1", result.Value.Owner);
    }
}
