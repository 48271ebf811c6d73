using System.Runtime.CompilerServices;
using OrleansLeases.Core;

namespace OrleansLeases.Embedded.Tests.Hosting;

/// <summary>Engines over stores that a test chooses, and a look at what they keep in memory.</summary>
internal static class Engines
{
    /// <summary>An engine over a store.</summary>
    public static EmbeddedLeases Over(IEmbeddedStore store, TimeProvider time, EmbeddedLeaseOptions? options = null) => Make(
        store, options ?? new(), time, new LeaseClock(time),
        store.Durable ? LeaseRules.TokenFloorOfEpoch(store.Epoch) : LeaseRules.TokenFloorFromClock(time));

    /// <summary>An engine on a folder whose disk is full once the database has as many pages.</summary>
    public static EmbeddedLeases OnSmallDisk(TestFolder folder, long pages, TimeProvider time) =>
        Over(SqliteStore.Open(folder.Path, (int)pages), time);

    /// <summary>How many keepers are in memory.</summary>
    public static int KeepersInMemory(this EmbeddedLeases leases) => KeepersOf(leases).Count;

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern EmbeddedLeases Make(IEmbeddedStore store, EmbeddedLeaseOptions options, TimeProvider time, LeaseClock clock, long tokenFloor);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_keepers")]
    private static extern ref KeeperRegistry KeepersOf(EmbeddedLeases leases);
}
