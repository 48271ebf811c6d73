using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Embedded.Tests.Keys;
using OrleansLeases.Testing;
using SQLitePCL;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Restart;

/// <summary>What never comes twice of a name, as far as it has come.</summary>
internal readonly record struct Numbers(long Token, long Version, long Sequence, long Generation)
{
    /// <summary>Those of the stored record.</summary>
    public static async Task<Numbers> OfAsync(IRecordStore store, RecordKind kind, string name) =>
        await store.LoadAsync(kind, name) is var record && kind == RecordKind.Lease
            ? new(record.Lease.LastToken, record.Version, record.Lease.Log.Last, 0)
            : new(0, record.Version, record.Key.Revision, record.Key.Generation);
}

/// <summary>
/// A life to be cut short: a lease and a key of one name come into use and out of it again, are dropped, and come back. Beside them others
/// are held and bound.
/// </summary>
internal static class DropVictim
{
    public const string Name = "back";
    public const string Held = "held";

    public static readonly EmbeddedLeaseOptions Retain = new() { Retain = TimeSpan.FromMinutes(1) };

    /// <summary>Lives in a process of its own, which is killed at one of the steps from the first drop on.</summary>
    /// <param name="folder">Where its data is.</param>
    /// <param name="point">At which step, from 0.</param>
    /// <returns>The last numbers that it told of the lease and of the key, whether they are of those that came back, and its end.</returns>
    public static async Task<(Numbers Lease, Numbers Key, bool IsBack, bool Survived)> LiveAndDieAsync(string folder, int point)
    {
        var (told, survived) = await VictimProcess.LiveAndDieAsync(nameof(DropVictim), folder, $"{point}");
        var numbers = told.Where(line => line.Contains(' ', StringComparison.Ordinal)).Select(Read).ToList();
        return (numbers[^2], numbers[^1], numbers.Count > 2, survived);
    }

    /// <summary>One life in this process, which it ends.</summary>
    public static async Task LiveAsync(string folder, int point)
    {
        var (store, time) = (SqliteStore.Open(folder), new ManualTimeProvider());
        await using var leases = Engines.Over(store, time, Retain);
        var held = await leases.GrantAsync(By("ann", Held) with { Ttl = TimeSpan.FromHours(20) });
        Assert.Null((await leases.PutAsync(Held, "bound", held)).Refusal);
        // Enough for a log of several blocks.
        for (var i = 0; i < 9; i++) await leases.ReleaseAsync(await leases.GrantAsync(By("ann", Name)));
        for (var i = 0; i < 3; i++)
        {
            Assert.Null((await leases.PutAsync(Name, "bound", held)).Refusal);
            Assert.True((await leases.DeleteKeyAsync(Name)).Value.Existed);
        }

        await TellAsync(store);
        DieAtStep(store, point);
        time.Advance(TimeSpan.FromMinutes(2));
        await UntilAsync(async () =>
        {
            time.Advance(Seconds(5));
            return (await Numbers.OfAsync(store, RecordKind.Lease, Name)).Version == 0
                && (await Numbers.OfAsync(store, RecordKind.Key, Name)).Version == 0;
        });
        await leases.GrantAsync(By("ann", Name));
        Assert.Null((await leases.PutAsync(Name, "free")).Refusal);
        await TellAsync(store);
    }

    private static async Task TellAsync(SqliteStore store)
    {
        foreach (var kind in new[] { RecordKind.Lease, RecordKind.Key })
        {
            var numbers = await Numbers.OfAsync(store, kind, Name);
            Console.WriteLine($"{numbers.Token} {numbers.Version} {numbers.Sequence} {numbers.Generation}");
        }
    }

    private static Numbers Read(string line)
    {
        var numbers = line.Split(' ').Select(number => long.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        return new(numbers[0], numbers[1], numbers[2], numbers[3]);
    }

    // A step is a statement that has changed rows of names or floors, or has committed, and that nobody has heard of.
    private static void DieAtStep(SqliteStore store, int point)
    {
        var steps = 0;
        raw.sqlite3_profile(
            ConnectionOf(SessionOf(WriterOf(store))!).Handle!,
            (_, statement, _) =>
            {
                var isStep = statement.StartsWith("COMMIT", StringComparison.Ordinal)
                    || statement.StartsWith("DELETE", StringComparison.Ordinal)
                    || statement.StartsWith("INSERT", StringComparison.Ordinal);
                if (isStep && steps++ == point) VictimProcess.Die();
            },
            null);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_writer")]
    private static extern ref GroupCommitWriter WriterOf(SqliteStore store);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_session")]
    private static extern ref WriterSession? SessionOf(GroupCommitWriter writer);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_connection")]
    private static extern ref SqliteConnection ConnectionOf(WriterSession session);
}
