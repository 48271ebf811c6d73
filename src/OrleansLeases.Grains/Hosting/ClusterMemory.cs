using Orleans.Runtime;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>
/// The memory in which one cluster's leases are kept: one in the process, for as long as a silo of that cluster is in it. Thread-safe.
/// </summary>
internal sealed class ClusterMemory
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<string, ClusterMemory> OfThisProcess = new(StringComparer.Ordinal);

    private readonly MemoryRecordStore _storage = new();
    private readonly HashSet<SiloAddress> _silos = [];

    /// <summary>Takes the memory of a silo's cluster, which is made for its first silo.</summary>
    /// <param name="clusterId">The cluster.</param>
    /// <param name="silo">A silo of it, in this process.</param>
    /// <returns>The same for every silo of the cluster.</returns>
    public static MemoryRecordStore Take(string clusterId, SiloAddress silo)
    {
        lock (Gate)
        {
            if (!OfThisProcess.TryGetValue(clusterId, out var memory)) OfThisProcess[clusterId] = memory = new ClusterMemory();
            memory._silos.Add(silo);
            return memory._storage;
        }
    }

    /// <summary>Gives it back, and drops it with the cluster's last silo.</summary>
    /// <param name="clusterId">The cluster.</param>
    /// <param name="silo">A silo of it, whether it has taken the memory or not.</param>
    public static void GiveBack(string clusterId, SiloAddress silo)
    {
        lock (Gate)
        {
            if (OfThisProcess.TryGetValue(clusterId, out var memory) && memory._silos.Remove(silo) && memory._silos.Count == 0)
                OfThisProcess.Remove(clusterId);
        }
    }

    /// <summary>Whether a silo has taken its cluster's memory, and so is in this process.</summary>
    /// <param name="clusterId">The cluster.</param>
    /// <param name="silo">A silo of it, wherever it is.</param>
    /// <returns>False for a silo of another process.</returns>
    public static bool IsTakenBy(string clusterId, SiloAddress silo)
    {
        lock (Gate) return OfThisProcess.TryGetValue(clusterId, out var memory) && memory._silos.Contains(silo);
    }
}
