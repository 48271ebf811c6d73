using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// Has the silos of one cluster that are in one process, as in tests, keep their leases in the same memory. Refuses to start one
/// beside a silo of another process: each would grant what the other has granted.
/// </summary>
internal sealed class SharedMemorySilos(IClusterMembershipService membership, ILocalSiloDetails self, IOptions<ClusterOptions> cluster)
    : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private readonly string _clusterId = cluster.Value.ClusterId;

    /// <summary>
    /// The memory of the silo's cluster. It is taken before the silo joins, so that silos that join together have the same.
    /// </summary>
    public MemoryRecordStore Storage { get; } = ClusterMemory.Take(cluster.Value.ClusterId, self.SiloAddress);

    public void Participate(ISiloLifecycle lifecycle)
    {
        // Before it joins; and once it has, since two that start together see each other only then.
        lifecycle.Subscribe(
            nameof(SharedMemorySilos), ServiceLifecycleStage.AfterRuntimeGrainServices, RefuseOthersAsync, _ => LeaveAsync());
        lifecycle.Subscribe(nameof(SharedMemorySilos), ServiceLifecycleStage.Active, RefuseOthersAsync);
    }

    public void Dispose() => ClusterMemory.GiveBack(_clusterId, self.SiloAddress);

    private async Task RefuseOthersAsync(CancellationToken cancellationToken)
    {
        await membership.Refresh(cancellationToken: cancellationToken);
        foreach (var member in membership.CurrentSnapshot.Members.Values)
        {
            if (member.Status == SiloStatus.Active
                && !ClusterMemory.IsTakenBy(_clusterId, member.SiloAddress)) throw new OrleansConfigurationException(
                $"Leases are kept in this process' memory, but silo {member.SiloAddress}, of another process, is active in the cluster "
                + "as well, and would grant the same leases. Use AddLeases with a PostgreSQL connection string on every silo.");
        }
    }

    private Task LeaveAsync()
    {
        Dispose();
        return Task.CompletedTask;
    }
}
