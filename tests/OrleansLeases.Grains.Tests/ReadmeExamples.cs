using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Orleans.TestingHost;
using OrleansLeases.Client;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.OutsideStore;

namespace OrleansLeases.Grains.Tests;

/// <summary>The examples of README.md, docs/orleans.md and docs/testing-your-code.md for Orleans applications.</summary>
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
    public void Silo_TakesAStore()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleans(silo =>
        {
            // README: A store of a silo
            silo.AddLeases(services => services.GetRequiredService<ByteStore>());
            // README: end
        });
        Assert.Single(builder.Services, service => service.ServiceType == typeof(ILeaseService));
    }

    [Fact]
    public void Client_HasMutualTls()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);

        // README: Mutual TLS
        builder.UseOrleansClient(client =>
        {
            // … clustering, as you have it
            client.AddLeases();
            client.UseMutualTls(tls =>
            {
                tls.Certificate = "/etc/leases/client.crt";
                tls.Key = "/etc/leases/client.key";
                tls.Authority = "/etc/leases/cluster-ca.crt";
            });
        });

        // README: end
        Assert.Single(builder.Services, service => service.ServiceType == typeof(ClusterTls));
    }

    // Not called: its database is not there. SchemaTests migrate one.
    internal static async Task MigrateAsync()
    {
        // README: The schema
        await LeaseSchema.MigrateAsync("Host=db;Database=leases;Username=leases;Password=…");
        // README: end
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

    [Fact]
    public async Task InProcessTestCluster_OfTwoSilos_LeasesAsDocumented()
    {
        // README: In Orleans' test clusters
        var builder = new InProcessTestClusterBuilder(2);
        builder.ConfigureSilo((_, silo) => silo.AddLeases());
        builder.ConfigureClient(client => client.AddLeases());
        await using var cluster = builder.Build();
        await cluster.DeployAsync();

        var service = cluster.Client.ServiceProvider.GetRequiredService<ILeaseService>();
        await using var leases = new LeaseClient(service);
        await using var lease = await leases.AcquireAsync("jobs/report");

        // README: end
        Assert.True(lease.IsValid());
    }
}
