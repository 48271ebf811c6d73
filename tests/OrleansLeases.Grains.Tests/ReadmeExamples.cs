using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Orleans.Hosting;
using Orleans.LeaseProviders;
using Orleans.TestingHost;
using OrleansLeases.Client;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.OutsideStore;
using FakeTimeProvider = OrleansLeases.Testing.ManualTimeProvider;

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
    public void StreamQueues_MoveFromAnotherProvider()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleans(silo =>
        {
            // README: Stream queues that move
            silo.UseLeasesForStreamQueues("streams", former: services => services.GetRequiredService<FormerProvider>());
            // README: end
        });
        Assert.Single(
            builder.Services, service => service.ServiceType == typeof(ILeaseProvider) && Equals(service.ServiceKey, "streams"));
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
        // README: A role and a database
        const string Owner = "Host=db;Database=leases;Username=leases_owner;Password=…";
        await LeaseSchema.MigrateAsync(Owner);
        await LeaseSchema.GrantAsync(Owner, "leases_silo");

        // README: end
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

    [Fact]
    public async Task InProcessTestCluster_OnAClockOfTheTest_EndsLeasesAsDocumented()
    {
        // README: A test cluster on a clock
        var clock = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        var builder = new InProcessTestClusterBuilder(2);
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(clock)); // the leases'
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System); // Orleans' own
            silo.AddLeases();
        });
        builder.ConfigureClient(client => client.AddLeases());
        await using var cluster = builder.Build();
        await cluster.DeployAsync();

        var service = cluster.Client.ServiceProvider.GetRequiredService<ILeaseService>();
        var request = new AcquireRequest { Resource = "jobs/report", Owner = "worker-1", Ttl = TimeSpan.FromSeconds(30) };
        var first = (await service.AcquireAsync(request)).Value;

        clock.Advance(TimeSpan.FromSeconds(30));
        var second = (await service.AcquireAsync(request with { Owner = "worker-2" })).Value;
        Assert.True(second.Token > first.Token);

        // README: end
    }

    [Fact]
    public async Task InProcessTestCluster_OnPostgres_LeasesAsDocumented()
    {
        var connection = await TestDatabase.SiloConnectionStringAsync();

        // README: A test cluster on PostgreSQL
        var builder = new InProcessTestClusterBuilder(2);
        builder.ConfigureSilo((_, silo) => silo.AddLeases(connection));
        builder.ConfigureClient(client => client.AddLeases());
        await using var cluster = builder.Build();
        await cluster.DeployAsync();

        // README: end
        await using var leases = new LeaseClient(cluster.Client.ServiceProvider.GetRequiredService<ILeaseService>());
        await using var lease = await leases.AcquireAsync($"readme/{Guid.NewGuid():N}");
        Assert.True(lease.IsValid());
    }

    private abstract class FormerProvider : ILeaseProvider
    {
        public abstract Task<AcquireLeaseResult[]> Acquire(string category, LeaseRequest[] leaseRequests);

        public abstract Task<AcquireLeaseResult[]> Renew(string category, AcquiredLease[] aquiredLeases);

        public abstract Task Release(string category, AcquiredLease[] aquiredLeases);
    }
}
