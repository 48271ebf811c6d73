using OrleansLeases.Core;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Keys;

/// <summary>The keys of ended leases leave the store, whatever goes wrong on the way, and keep nobody waiting.</summary>
public sealed class CleanUpTests : IDisposable
{
    private static readonly IOException Fault = new("no answer");

    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Keys_OfALeaseThatExpires_LeaveTheStoreWithoutAnyoneAsking(bool durable)
    {
        var store = Store(durable);
        await using var leases = Engines.Over(store, _time);
        var grant = await leases.GrantAsync(By("ann"));
        for (var i = 0; i < 200; i++) await leases.PutAsync($"k/{i}", "1", grant);
        Assert.Equal(200, await store.BoundKeysAsync());

        await UntilCleanAsync(store);

        // What stays of each is its version, so that a late put finds another one.
        for (var i = 0; i < 200; i++) Assert.True((await store.LoadAsync(RecordKind.Key, $"k/{i}")).Version > 1);
        Assert.Null(await leases.ValueAsync("k/7"));
    }

    [Fact]
    public async Task CleanUp_ThatFailsAgainAndAgain_GoesOnUntilItIsDone()
    {
        var store = new ScriptedStore(new MemoryRecordStore());
        await using var leases = Engines.Over(store, _time);
        var random = new Random(1);
        var grant = await leases.GrantAsync(By("ann"));
        for (var i = 0; i < 100; i++) await leases.PutAsync($"k/{i}", "1", grant);
        store.BeforeSaveKey = (_, _) => Roll(2);
        store.AfterSaveKey = (_, _) => Roll(3);
        store.BeforeSave = _ => Roll(3);
        store.AfterSave = _ => Roll(3);

        // Whatever its outcome: it is not known, so it is asked for until it is.
        await UntilAsync(async () => (await leases.ReleaseAsync(grant)).Refusal is null);
        await UntilCleanAsync(store);

        Task Roll(int sides)
        {
            lock (random) return random.Next(sides) == 0 ? Task.FromException(Fault) : Task.CompletedTask;
        }
    }

    [Fact]
    public async Task CleanUp_OfOneBrokenKey_DoesNotKeepTheOthers()
    {
        var store = new ScriptedStore(new MemoryRecordStore());
        await using var leases = Engines.Over(store, _time);
        for (var lease = 0; lease < 20; lease++)
        {
            var grant = await leases.GrantAsync(By("ann", $"fleet/{lease}"));
            for (var i = 0; i < 10; i++) await leases.PutAsync($"k/{lease}/{i}", "1", grant);
            store.BeforeSaveKey = (key, _) => key.EndsWith("/3", StringComparison.Ordinal) ? Task.FromException(Fault) : Task.CompletedTask;
            await leases.ReleaseAsync(grant);
            if (lease < 19) store.BeforeSaveKey = null;
        }

        await UntilAsync(async () =>
        {
            _time.Advance(Seconds(1));
            return await store.BoundKeysAsync() <= 20;
        });
        store.BeforeSaveKey = null;
        await UntilCleanAsync(store);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(70)]
    [InlineData(130)]
    public async Task CleanUp_CutOffByARestart_GoesOn(int cleanedBefore)
    {
        var first = new ScriptedStore(SqliteStore.Open(_folder.Path));
        var leases = Engines.Over(first, _time);
        var grant = await leases.GrantAsync(By("ann"));
        for (var i = 0; i < 130; i++) await leases.PutAsync($"k/{i}", "1", grant);
        await leases.PutAsync("free", "stays");
        // From some save on nothing reaches the disk any more, as if the process were dead.
        var left = cleanedBefore;
        first.BeforeSaveKey = (_, _) => Interlocked.Decrement(ref left) >= 0 ? Task.CompletedTask : Task.FromException(Fault);
        await leases.ReleaseAsync(grant);
        await UntilAsync(async () => Volatile.Read(ref left) < 0 || await first.BoundKeysAsync() == 0);
        await leases.DisposeAsync();

        var second = SqliteStore.Open(_folder.Path);
        await using var after = Engines.Over(second, _time);

        Assert.Null(await after.ValueAsync("k/129"));
        await UntilCleanAsync(second);
        Assert.Equal("stays", await after.ValueAsync("free"));
    }

    [Fact]
    public async Task Expiry_WhileTheServiceIsDown_IsCleanedUpAfterTheStart()
    {
        await using (var before = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time))
        {
            var grant = await before.GrantAsync(By("ann"));
            for (var i = 0; i < 10; i++) await before.PutAsync($"k/{i}", "1", grant);
        }

        _time.Advance(TimeSpan.FromMinutes(5));
        var store = SqliteStore.Open(_folder.Path);
        await using var after = Engines.Over(store, _time);

        await UntilCleanAsync(store);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LeaseWithAThousandKeys_ThatEnds_DelaysNobodyAndItsKeysAreGoneAtOnce(bool durable)
    {
        var gate = new TaskCompletionSource();
        var store = new ScriptedStore(Store(durable));
        await using var leases = Engines.Over(store, _time);
        var grant = await leases.GrantAsync(By("ann"));
        await Task.WhenAll(Enumerable.Range(0, 1_000).Select(i => leases.PutAsync($"k/{i}", "1", grant)));
        Assert.Equal(1_000, Assert.Single((await leases.GetAsync()).Holders).Keys.Count);
        // Not one clean-up comes to its end. A call about one of those very keys waits for that, as for any write.
        store.BeforeSaveKey = (_, next) => next.Value is null ? gate.Task : Task.CompletedTask;
        await leases.ReleaseAsync(grant);

        Assert.Empty((await leases.ListKeysAsync(new ListKeysRequest { PageSize = 1_000 })).Value.Keys);
        for (var i = 900; i < 1_000; i += 9) Assert.Null(await leases.ValueAsync($"k/{i}"));
        var next = await leases.GrantAsync(By("bob"));
        var other = await leases.GrantAsync(By("cid", "other"));
        await leases.PutAsync("other", "1", other);
        Assert.Equal("1", await leases.ValueAsync("other"));
        Assert.Null((await leases.RenewAsync(next)).Refusal);

        gate.SetResult();
        await leases.ReleaseAsync(other);
        await UntilCleanAsync(store);
    }

    [Fact]
    public async Task Keys_ThatNobodyAsksFor_LeaveMemory()
    {
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
        var grant = await leases.GrantAsync(By("ann"));
        for (var i = 0; i < 50; i++) await leases.PutAsync($"k/{i}", "1", grant);
        await leases.AddAsync("counter", 5, "once");
        _time.Advance(Seconds(5));
        // Whoever is asked for again stays longer, and leaves in the end.
        await leases.ValueAsync("k/7");
        await leases.ValueAsync("counter");
        Assert.Equal(52, leases.KeepersInMemory());

        await UntilAsync(() =>
        {
            _time.Advance(Seconds(1));
            return Task.FromResult(leases.KeepersInMemory() == 0);
        });

        Assert.Equal("5", await leases.ValueAsync("counter"));
        Assert.True((await leases.AddAsync("counter", 5, "once")).Value.Replayed);
    }

    private async Task UntilCleanAsync(IRecordStore store)
    {
        await UntilAsync(async () =>
        {
            _time.Advance(Seconds(1));
            return await store.BoundKeysAsync() == 0 && await store.IsCleanAsync();
        });
    }

    private IRecordStore Store(bool durable) => durable ? SqliteStore.Open(_folder.Path) : new MemoryRecordStore();
}
