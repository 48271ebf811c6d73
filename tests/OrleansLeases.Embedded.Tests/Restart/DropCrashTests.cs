using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Embedded.Tests.Keys;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Restart;

/// <summary>
/// The process dies at every step of two drops and of the first writes after them: what comes back goes on from what was told, and what is
/// in use is there.
/// </summary>
public sealed class DropCrashTests
{
    [Fact]
    public async Task Kill_AtEveryStepOfADrop_RepeatsNothing_AndKeepsWhatIsInUse()
    {
        for (var point = 0; ; point++)
        {
            using var folder = new TestFolder();
            using var restored = new TestFolder();
            var (lease, key, isBack, survived) = await DropVictim.LiveAndDieAsync(folder.Path, point);
            foreach (var file in Directory.GetFiles(folder.Path)) File.Copy(file, Path.Combine(restored.Path, Path.GetFileName(file)));
            Assert.Equal(1, DataFolder.BumpEpoch(restored.Path));

            foreach (var path in new[] { folder.Path, restored.Path }) await ComesBackAsync(path, lease, key, isBack);

            Assert.Equal(survived, isBack);
            if (!survived) continue;
            Assert.InRange(point, 11, 20);
            return;
        }
    }

    private static async Task ComesBackAsync(string folder, Numbers toldLease, Numbers toldKey, bool isBack)
    {
        var store = SqliteStore.Open(folder);
        if (isBack)
        {
            Assert.Equal(toldLease, await Numbers.OfAsync(store, RecordKind.Lease, DropVictim.Name));
            Assert.Equal(toldKey, await Numbers.OfAsync(store, RecordKind.Key, DropVictim.Name));
        }

        // Once what came back has run out.
        var time = new ManualTimeProvider(ManualTimeProvider.DefaultStart + TimeSpan.FromHours(1));
        await using var leases = Engines.Over(store, time, new() { Retain = TimeSpan.Zero });
        var held = Assert.Single((await leases.GetAsync(DropVictim.Held)).Holders);
        Assert.Equal("bound", await leases.ValueAsync(DropVictim.Held));

        await leases.GrantAsync(By("bob", DropVictim.Name));
        var lent = new KeyLease { Resource = DropVictim.Held, Owner = held.Owner, Token = held.Token };
        Assert.Null((await leases.PutKeyAsync(DropVictim.Name, new() { Value = "bound", Lease = lent })).Refusal);

        var lease = await Numbers.OfAsync(store, RecordKind.Lease, DropVictim.Name);
        Assert.True(
            lease.Token > toldLease.Token && lease.Version > toldLease.Version && lease.Sequence > toldLease.Sequence,
            $"{lease} came after {toldLease}.");
        var key = await Numbers.OfAsync(store, RecordKind.Key, DropVictim.Name);
        Assert.True(
            key.Generation > toldKey.Generation && key.Version > toldKey.Version && key.Sequence > toldKey.Sequence,
            $"{key} came after {toldKey}.");
    }
}
