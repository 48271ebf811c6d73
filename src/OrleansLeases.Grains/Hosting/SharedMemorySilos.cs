using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// Has the silos of one cluster that are in one process, as in tests, keep their leases in the same memory. Refuses to start one
/// beside a silo of another process: each would grant what the other has granted.
/// </summary>
internal sealed class SharedMemorySilos(
    IClusterMembershipService membership, ILocalSiloDetails self, IOptions<ClusterOptions> cluster, ILeaseStorage storage)
    : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<(string ClusterId, SiloAddress Silo), MemoryLeaseStorage> OfThisProcess = [];

    public void Participate(ISiloLifecycle lifecycle)
    {
        // Before it joins; and once it has, since two that start together see each other only then.
        lifecycle.Subscribe(nameof(SharedMemorySilos), ServiceLifecycleStage.AfterRuntimeGrainServices, ShareAsync, _ => LeaveAsync());
        lifecycle.Subscribe(nameof(SharedMemorySilos), ServiceLifecycleStage.Active, ShareAsync);
    }

    public void Dispose()
    {
        lock (Gate) OfThisProcess.Remove(KeyOf(self.SiloAddress));
    }

    private async Task ShareAsync(CancellationToken cancellationToken)
    {
        await membership.Refresh(cancellationToken: cancellationToken);
        var mine = storage as MemoryLeaseStorage;
        lock (Gate)
        {
            if (mine is not null) OfThisProcess[KeyOf(self.SiloAddress)] = mine;
            foreach (var member in membership.CurrentSnapshot.Members.Values)
            {
                if (member.SiloAddress.Equals(self.SiloAddress)) continue;
                var shares = OfThisProcess.TryGetValue(KeyOf(member.SiloAddress), out var theirs) && mine is not null && mine.TryShareWith(theirs);
                if (!shares && member.Status == SiloStatus.Active) throw new OrleansConfigurationException(
                    $"Leases are kept in this process' memory, but silo {member.SiloAddress}, of another process, is active in the cluster as well, and would grant the same leases. Use AddLeases with a PostgreSQL connection string on every silo.");
            }
        }
    }

    private Task LeaveAsync()
    {
        Dispose();
        return Task.CompletedTask;
    }

    private (string ClusterId, SiloAddress Silo) KeyOf(SiloAddress silo) => (cluster.Value.ClusterId, silo);
}
