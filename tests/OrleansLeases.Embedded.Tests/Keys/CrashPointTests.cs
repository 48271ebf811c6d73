using OrleansLeases.Core;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Keys;

/// <summary>
/// The process dies at every save between attach, write, unbind, end, clean-up and acknowledgement: before the save is
/// on disk, or after it and before anyone heard. What was acknowledged is kept, and nothing bound is left behind.
/// </summary>
public sealed class CrashPointTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Death_AtEverySave_LosesNothingAndLeavesNothing(bool durable, bool written)
    {
        for (var point = 0; ; point++)
        {
            var memory = new MemoryRecordStore();
            var name = $"{durable}-{written}-{point}";
            var saves = 0;
            var store = new ScriptedStore(durable ? SqliteStore.Open(_folder.Path) : memory);
            // Once dead, nothing more reaches the disk.
            Func<Task> before = written
                ? () => DieIf(Volatile.Read(ref saves) > point)
                : () => DieIf(Interlocked.Increment(ref saves) > point);
            Func<Task> afterwards = written ? () => DieIf(Interlocked.Increment(ref saves) > point) : () => Task.CompletedTask;
            (store.BeforeSave, store.AfterSave) = (_ => before(), _ => afterwards());
            (store.BeforeSaveKey, store.AfterSaveKey) = ((_, _) => before(), (_, _) => afterwards());

            var leases = Engines.Over(store, _time);
            var acknowledged = await Victim.LiveAsync(leases, name, store, _ => { });
            await leases.DisposeAsync();

            var after = durable ? (IRecordStore)SqliteStore.Open(_folder.Path) : memory;
            await NothingIsLostOrLeftAsync(after, _time, acknowledged, name);
            if (Volatile.Read(ref saves) > point) continue;
            Assert.InRange(point, 9, 30);
            return;
        }
    }

    // The process itself goes, at the same points.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Kill_AtEverySave_LosesNothingAndLeavesNothing(bool written)
    {
        for (var point = 0; ; point++)
        {
            using var folder = new TestFolder();
            var acknowledged = await Victim.LiveAndDieAsync(folder.Path, point, written);
            await NothingIsLostOrLeftAsync(SqliteStore.Open(folder.Path), new(TimeProvider.System.GetUtcNow()), acknowledged, "victim");
            if (!acknowledged.Survived) continue;
            Assert.InRange(point, 9, 30);
            return;
        }
    }

    private static async Task NothingIsLostOrLeftAsync(IRecordStore store, ManualTimeProvider time, Acknowledged acknowledged, string name)
    {
        await using var leases = Engines.Over(store, time);
        if (acknowledged.Unbound) Assert.Equal("free", await leases.ValueAsync($"{name}/unbound"));
        if (acknowledged.Ended)
        {
            Assert.Null(await leases.ValueAsync($"{name}/bound"));
            Assert.False((await leases.DeleteKeyAsync($"{name}/bound")).Value.Existed);
        }

        time.Advance(TimeSpan.FromMinutes(2));
        await UntilAsync(async () =>
        {
            // A sweeper looks at what is on disk; in memory someone has to.
            if (!store.IsDurable) await leases.GetAsync(name);
            time.Advance(Seconds(1));
            return await store.BoundKeysAsync() == 0 && await store.IsCleanAsync();
        });
        Assert.Null(await leases.ValueAsync($"{name}/bound"));
        if (acknowledged.Unbound) Assert.Equal("free", await leases.ValueAsync($"{name}/unbound"));
    }

    private static Task DieIf(bool dead) => dead ? Task.FromException(new IOException("dead")) : Task.CompletedTask;
}
