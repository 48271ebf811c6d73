using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Orleans.Hosting;
using Orleans.LeaseProviders;
using Orleans.Providers.Streams.Common;
using Orleans.Runtime;
using Orleans.Streams;
using Orleans.TestingHost;
using OrleansLeases.Grains.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Grains.Tests.Hosting.Calls;

namespace OrleansLeases.Grains.Tests.Streaming;

/// <summary>
/// Two silos share the queues of a stream provider by leases, and the first of them goes. It had all of the queues once, so
/// the grains of their leases are on it.
/// </summary>
public sealed class StreamQueueBalancingTests
{
    private const string Streams = "streams";
    private const int Queues = 8;

    // The balancer and the leases have clocks of their own, so that a test can let one of them wait for the other.
    private readonly ManualTimeProvider _balancers = new();
    private readonly ManualTimeProvider _leases = new(TimeProvider.System.GetUtcNow());

    [Fact]
    public async Task SiloThatStops_HandsItsQueuesOver_BeforeTheirLeasesHaveRunOut()
    {
        await using var cluster = await StartAsync();
        var (goes, stays) = (cluster.Silos[0], cluster.Silos[1]);
        await UntilAsync(() => ReadsAsync(cluster, stays, 4, goes, 4));

        // The leases' clock stands still.
        await cluster.StopSiloAsync(goes);
        await UntilAsync(() => ReadsAsync(cluster, stays, Queues));
    }

    [Fact]
    public async Task QueuesOfASiloThatCrashed_AreTakenOver_OnceTheirLeasesHaveRunOut()
    {
        await using var cluster = await StartAsync();
        var (goes, stays) = (cluster.Silos[0], cluster.Silos[1]);
        await UntilAsync(() => ReadsAsync(cluster, stays, 4, goes, 4));

        // Whatever a killed silo may still do in this process, its leases are not released.
        Of(goes).Crashed = true;
        await cluster.KillSiloAsync(goes);
        var refused = Of(stays).Refused;
        await UntilAsync(() =>
        {
            _balancers.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(Of(stays).Refused >= refused + 4);
        });
        Assert.Equal(4, (await OwnersAsync(cluster)).Count(owner => owner == goes.SiloAddress.ToString()));

        await UntilAsync(() =>
        {
            _leases.Advance(TimeSpan.FromSeconds(1));
            return ReadsAsync(cluster, stays, Queues);
        });
    }

    [Fact]
    public async Task SiloWithoutLeases_SaysWhatIsMissing()
    {
        var builder = new InProcessTestClusterBuilder(1);
        builder.ConfigureSilo((_, silo) => AddStreams(silo.UseLeasesForStreamQueues()));
        await using var cluster = builder.Build();
        var error = await Assert.ThrowsAnyAsync<Exception>(cluster.DeployAsync);
        Assert.Contains("call AddLeases", error.ToString(), StringComparison.Ordinal);
    }

    // Whether each silo has leased its share of the queues, and reads them; and all the queues are someone's.
    private async Task<bool> ReadsAsync(
        InProcessTestCluster cluster, InProcessSiloHandle one, int ones, InProcessSiloHandle? other = null, int others = 0)
    {
        _balancers.Advance(TimeSpan.FromSeconds(1));
        var owners = await OwnersAsync(cluster);
        if (owners.Count(owner => owner == one.SiloAddress.ToString()) != ones) return false;
        if (other is not null && owners.Count(owner => owner == other.SiloAddress.ToString()) != others) return false;
        var agents = await cluster.Client.GetGrain<IManagementGrain>(0)
            .SendControlCommandToProvider<PersistentStreamProvider>(Streams, (int)PersistentStreamProviderCommand.GetNumberRunningAgents);
        int[] expected = other is null ? [ones] : [ones, others];
        return agents.Cast<int>().SequenceEqual(expected);
    }

    private static async Task<string[]> OwnersAsync(InProcessTestCluster cluster)
    {
        var leases = cluster.Client.ServiceProvider.GetRequiredService<ILeaseService>();
        var page = await leases.ListAsync(new ListLeasesRequest { Prefix = StreamQueueLeases.Prefix });
        return page.TryGetValue(out var held, out _) ? [.. held.Leases.Select(lease => lease.Holders[0].Owner)] : [];
    }

    private static SeenLeases Of(InProcessSiloHandle silo) => (SeenLeases)silo.ServiceProvider.GetRequiredService<ILeaseProvider>();

    private async Task<InProcessTestCluster> StartAsync()
    {
        var database = await TestDatabase.ConnectionStringAsync();
        var builder = new InProcessTestClusterBuilder(2);
        builder.Options.ConfigureFileLogging = false;
        builder.Options.ServiceId = Cluster.NewServiceId();
        builder.ConfigureSilo((_, silo) =>
        {
            silo.Services.Replace(ServiceDescriptor.Singleton<TimeProvider>(_leases));
            silo.Services.UseTimeProviderForBackgroundAreas(TimeProvider.System);
            silo.Services.AddKeyedSingleton<TimeProvider>(StreamingTimeProviderNames.Streaming, _balancers);
            FaultyStorage.Install(
                silo.AddLeases(database, options => (options.SweeperShards, options.ClockSkew) = (1, TimeSpan.FromMinutes(1))));
            AddStreams(silo.UseLeasesForStreamQueues());
            silo.Services.AddSingleton<ILeaseProvider>(services => new SeenLeases(services.GetRequiredService<StreamQueueLeases>()));
        });
        builder.ConfigureClient(client => client.AddLeases());
        var cluster = builder.Build();
        await cluster.DeployAsync();
        return cluster;
    }

    private static void AddStreams(ISiloBuilder silo) => silo.AddMemoryGrainStorage("PubSubStore").AddMemoryStreams(Streams, streams =>
    {
        streams.ConfigurePartitioning(Queues);
        streams.UseLeaseBasedQueueBalancer();
    });

    /// <summary>What a balancer asks of its leases.</summary>
    private sealed class SeenLeases(ILeaseProvider inner) : ILeaseProvider
    {
        private int _refused;

        /// <summary>How many queues it could not have.</summary>
        public int Refused => Volatile.Read(ref _refused);

        /// <summary>Whether its silo is gone, so that nothing it asks for is heard.</summary>
        public bool Crashed { get; set; }

        public async Task<AcquireLeaseResult[]> Acquire(string category, LeaseRequest[] leaseRequests)
        {
            Assert.False(Crashed);
            var results = await inner.Acquire(category, leaseRequests);
            Interlocked.Add(ref _refused, results.Count(result => result.StatusCode == ResponseCode.LeaseNotAvailable));
            return results;
        }

        public Task<AcquireLeaseResult[]> Renew(string category, AcquiredLease[] aquiredLeases)
        {
            Assert.False(Crashed);
            return inner.Renew(category, aquiredLeases);
        }

        public Task Release(string category, AcquiredLease[] aquiredLeases) =>
            Crashed ? Task.CompletedTask : inner.Release(category, aquiredLeases);
    }
}
