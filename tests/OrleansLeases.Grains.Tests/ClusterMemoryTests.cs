using System.Net;
using Orleans.Runtime;

namespace OrleansLeases.Grains.Tests;

/// <summary>One memory of leases for the silos of a cluster that are in one process.</summary>
public sealed class ClusterMemoryTests
{
    private readonly string _cluster = Guid.NewGuid().ToString("N");

    [Fact]
    public void Silos_OfOneCluster_HaveOneMemory_WhateverSiloCameFirst()
    {
        var memories = Enumerable.Range(1, 3).Select(silo => ClusterMemory.Take(_cluster, Silo(silo))).ToList();

        Assert.All(memories, memory => Assert.Same(memories[0], memory));
        Assert.NotSame(memories[0], ClusterMemory.Take(Guid.NewGuid().ToString("N"), Silo(1)));
    }

    [Fact]
    public void Memory_IsDroppedWithTheLastSilo()
    {
        var before = ClusterMemory.Take(_cluster, Silo(1));
        ClusterMemory.Take(_cluster, Silo(2));
        ClusterMemory.GiveBack(_cluster, Silo(1));
        Assert.False(ClusterMemory.IsTakenBy(_cluster, Silo(1)));
        Assert.Same(before, ClusterMemory.Take(_cluster, Silo(3)));

        ClusterMemory.GiveBack(_cluster, Silo(2));
        // Given back twice, by its stop and by its disposal.
        ClusterMemory.GiveBack(_cluster, Silo(2));
        Assert.Same(before, ClusterMemory.Take(_cluster, Silo(3)));

        ClusterMemory.GiveBack(_cluster, Silo(3));
        Assert.NotSame(before, ClusterMemory.Take(_cluster, Silo(4)));
    }

    private static SiloAddress Silo(int number) => SiloAddress.New(IPAddress.Loopback, number, 1);
}
