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
            var memory = new MemoryStore();
            var name = $"{durable}-{written}-{point}";
            var saves = 0;
            var store = new ScriptedStore(durable ? SqliteStore.Open(_folder.Path) : memory);
            // Once dead, nothing more reaches the disk.
            Func<Task> before = written ? () => DieIf(Volatile.Read(ref saves) > point) : () => DieIf(Interlocked.Increment(ref saves) > point);
            Func<Task> afterwards = written ? () => DieIf(Interlocked.Increment(ref saves) > point) : () => Task.CompletedTask;
            (store.BeforeSave, store.AfterSave) = (_ => before(), _ => afterwards());
            (store.BeforeSaveKey, store.AfterSaveKey) = ((_, _) => before(), (_, _) => afterwards());

            var leases = Engines.Over(store, _time);
            var acknowledged = await LiveAsync(leases, name, store);
            await leases.DisposeAsync();

            var after = durable ? (IEmbeddedStore)SqliteStore.Open(_folder.Path) : memory;
            await using var next = Engines.Over(after, _time);
            if (acknowledged.Unbound) Assert.Equal("free", await next.ValueAsync($"{name}/unbound"));
            if (acknowledged.Ended)
            {
                Assert.Null(await next.ValueAsync($"{name}/bound"));
                Assert.False((await next.DeleteKeyAsync($"{name}/bound")).Value.Existed);
            }

            _time.Advance(TimeSpan.FromMinutes(2));
            await UntilAsync(async () =>
            {
                // A sweeper looks at what is on disk; in memory someone has to.
                if (!durable) await next.GetAsync(name);
                _time.Advance(Seconds(1));
                return after.BoundKeys() == 0 && after.IsClean();
            });
            Assert.Null(await next.ValueAsync($"{name}/bound"));
            if (acknowledged.Unbound) Assert.Equal("free", await next.ValueAsync($"{name}/unbound"));
            if (Volatile.Read(ref saves) > point) continue;
            Assert.InRange(point, 9, 30);
            return;
        }
    }

    private static Task DieIf(bool dead) => dead ? Task.FromException(new IOException("dead")) : Task.CompletedTask;

    /// <summary>Two bound keys, one of them unbound again, and the end of the lease with its clean-up, as far as it goes.</summary>
    private static async Task<(bool Unbound, bool Ended)> LiveAsync(EmbeddedLeases leases, string name, ScriptedStore store)
    {
        if (!(await leases.AcquireAsync(By("ann", name))).TryGetValue(out var grant, out _)) return default;
        if ((await leases.PutAsync($"{name}/bound", "bound", grant)).Refusal is not null) return default;
        if ((await leases.PutAsync($"{name}/unbound", "bound", grant)).Refusal is not null) return default;
        var unbound = (await leases.PutAsync($"{name}/unbound", "free")).Refusal is null;
        if (!unbound || (await leases.ReleaseAsync(grant)).Refusal is not null) return (unbound, false);
        // Either the clean-up comes to its end, or death comes first.
        await UntilAsync(() => Task.FromResult(store.IsClean() || store.HasFailed));
        return (unbound, true);
    }
}
