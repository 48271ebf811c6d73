using System.Runtime.CompilerServices;

namespace OrleansLeases.Embedded.Tests.Hosting;

/// <summary>Engines over stores that a test chooses, and a look at what they keep in memory.</summary>
internal static class Engines
{
    /// <summary>An engine over a store.</summary>
    public static EmbeddedLeases Over(IRecordStore store, TimeProvider time, EmbeddedLeaseOptions? options = null) =>
        Make(store, store.IsDurable ? "embedded-sqlite" : "embedded-memory", options ?? new(), time);

    /// <summary>An engine on a folder whose disk is full once the database has as many pages.</summary>
    public static EmbeddedLeases OnSmallDisk(TestFolder folder, long pages, TimeProvider time) =>
        Over(SqliteStore.Open(folder.Path, (int)pages), time);

    /// <summary>The names of the stored records of one kind, in their order.</summary>
    public static async Task<List<string>> NamesAsync(this IRecordStore store, RecordKind kind, string from, bool heldOnly)
    {
        var names = new List<string>();
        await foreach (var record in store.RangeAsync(kind, from, heldOnly, CancellationToken.None)) names.Add(record.Name);
        return names;
    }

    /// <summary>How many keepers are in memory.</summary>
    public static int KeepersInMemory(this EmbeddedLeases leases) => KeepersOf(leases).Count;

    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern EmbeddedLeases Make(IRecordStore store, string engine, EmbeddedLeaseOptions options, TimeProvider time);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_keepers")]
    private static extern ref KeeperRegistry KeepersOf(EmbeddedLeases leases);
}
