using Microsoft.Extensions.DependencyInjection;
using Orleans.Hosting;
using Orleans.TestingHost;
using static OrleansLeases.Grains.Tests.Hosting.Requests;

namespace OrleansLeases.Grains.Tests;

/// <summary>Orleans' test clusters, with leases in memory and nothing else said.</summary>
public sealed class TestClusterTests
{
    [Fact]
    public async Task TestCluster_WithItsDefaults_HasOneMemory()
    {
        var builder = new TestClusterBuilder();
        builder.AddSiloBuilderConfigurator<Silo>();
        await using var cluster = builder.Build();
        await cluster.DeployAsync();
        Assert.Equal(2, cluster.Silos.Count);
        var leases =
            cluster.Silos.Select(silo => ((InProcessSiloHandle)silo).SiloHost.Services.GetRequiredService<ILeaseService>()).ToList();
        var storages =
            cluster.Silos.Select(silo => ((InProcessSiloHandle)silo).SiloHost.Services.GetRequiredService<LeaseStorage>().Store).ToList();
        var grant = (await leases[0].AcquireAsync(Acquire("a", "me"))).Value;

        Assert.IsType<Refusal.Held>((await leases[1].AcquireAsync(Acquire("a", "you"))).Refusal);
        foreach (var storage in storages) Assert.Equal(["a"], await NamesAsync(storage));

        // Wherever it was, the other silo knows of it.
        await cluster.StopSiloAsync(cluster.Silos[1]);
        Assert.Null((await leases[0].ReleaseAsync(Release(grant))).Refusal);
    }

    private static async Task<IEnumerable<string>> NamesAsync(IRecordStore store)
    {
        var names = new List<string>();
        await foreach (var record in store.RangeAsync(RecordKind.Lease, "", heldOnly: false, CancellationToken.None))
        {
            names.Add(record.Name);
        }

        return names;
    }

    private sealed class Silo : ISiloConfigurator
    {
        public void Configure(ISiloBuilder siloBuilder) => siloBuilder.AddLeases();
    }
}
