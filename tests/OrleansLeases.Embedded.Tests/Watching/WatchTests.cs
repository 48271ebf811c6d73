using OrleansLeases.Core;
using OrleansLeases.Embedded.Tests.Hosting;
using OrleansLeases.Embedded.Tests.Keys;
using OrleansLeases.Testing;
using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Watching;

/// <summary>What a watcher is told when the store fails, the engine restarts or stops, and a key's clean-up hangs.</summary>
public sealed class WatchTests : IDisposable
{
    private static readonly IOException Fault = new("the cable was pulled");

    private readonly ManualTimeProvider _time = new();
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UnknownOutcome_OfAChange_IsToldOnceItIsKnown_AndNeverTwice(bool written)
    {
        var store = new ScriptedStore(new MemoryRecordStore());
        await using var leases = Engines.Over(store, _time);
        await using var events = await leases.WatchAsync(resource: R);
        Assert.Equal(("state", 0), await events.NextWordAsync());
        var next = events.NextWordAsync();
        if (written) store.AfterSave = ScriptedStore.Once(Fault);
        else store.BeforeSave = ScriptedStore.Once(Fault);
        await leases.RefusedAsync<Refusal.OutcomeUnknown>(By("ann") with { RequestId = "once" });

        // Where it was written, nobody needs to ask again: the watch does.
        if (written) Assert.Equal(("granted", 1), await next);
        var grant = await leases.GrantAsync(By("ann") with { RequestId = "once" });
        Assert.Equal(("granted", 1), await next);
        await leases.ReleaseAsync(grant);
        Assert.Equal(("released", 2), await events.NextWordAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UnknownOutcome_OfAKey_IsToldOnceItIsKnown_AndNeverTwice(bool written)
    {
        var store = new ScriptedStore(new MemoryRecordStore());
        await using var leases = Engines.Over(store, _time);
        await using var events = await leases.WatchAsync(key: "k", since: new(0));
        var fails = 1;
        Task Fail(string key, KeyState state) => Interlocked.Exchange(ref fails, 0) == 1 ? Task.FromException(Fault) : Task.CompletedTask;
        if (written) store.AfterSaveKey = Fail;
        else store.BeforeSaveKey = Fail;
        Assert.IsType<Refusal.OutcomeUnknown>((await leases.PutAsync("k", "1", requestId: "once")).Refusal);

        if (written) Assert.Equal(("key-put", 1), await events.NextWordAsync());
        Assert.Equal(1, (await leases.PutAsync("k", "1", requestId: "once")).Value.Version);
        if (!written) Assert.Equal(("key-put", 1), await events.NextWordAsync());
        await leases.PutAsync("k", "2");
        Assert.Equal(("key-put", 2), await events.NextWordAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task UnknownOutcome_UnderAPrefix_SaysResync_AtOnceAndOnce(bool written)
    {
        var store = new ScriptedStore(new MemoryRecordStore());
        await using var leases = Engines.Over(store, _time);
        await using var events = await leases.WatchAsync(prefix: "");
        await using var elsewhere = await leases.WatchAsync(prefix: "elsewhere");
        if (written) store.AfterSave = ScriptedStore.Once(Fault);
        else store.BeforeSave = ScriptedStore.Once(Fault);
        await leases.RefusedAsync<Refusal.OutcomeUnknown>(By("ann") with { RequestId = "once" });
        Assert.Equal(("resync", null), await events.NextWordAsync());

        await leases.GrantAsync(By("ann") with { RequestId = "once" });
        await leases.GrantAsync(By("ann", "elsewhere"));

        Assert.Equal(("granted", 1), await events.NextWordAsync());
        Assert.Equal(("granted", 1), await elsewhere.NextWordAsync());
    }

    [Fact]
    public async Task Store_ThatCannotBeRead_IsAskedAgain_UntilTheWatchCanGoOn()
    {
        var store = new ScriptedStore(new MemoryRecordStore());
        await using var leases = Engines.Over(store, _time);
        await using var events = await leases.WatchAsync(resource: R);
        await events.NextAsync();
        var asked = new SemaphoreSlim(0);
        store.BeforeLoad = () =>
        {
            asked.Release();
            throw Fault;
        };
        store.AfterSave = ScriptedStore.Once(Fault);
        await leases.RefusedAsync<Refusal.OutcomeUnknown>(By("ann"));
        var next = events.NextWordAsync();
        Assert.True(await asked.WaitAsync(WaitTimeout));
        for (var i = 0; i < 3; i++)
        {
            await UntilAsync(() => Task.FromResult(_time.NextTimerIn is { } due && due <= Seconds(1)));
            _time.Advance(Seconds(1));
            Assert.True(await asked.WaitAsync(WaitTimeout));
        }

        store.BeforeLoad = null;
        await UntilAsync(() =>
        {
            _time.Advance(Seconds(0.1));
            return Task.FromResult(next.IsCompleted);
        });
        Assert.Equal(("granted", 1), await next);
    }

    [Fact]
    public async Task Restart_OnDisk_GoesOnAfterTheLastEvent()
    {
        WatchPoint? since = null;
        for (var run = 0; run < 3; run++)
        {
            await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
            await using var events = await leases.WatchAsync(resource: R, since: since);
            if (run == 0) await events.NextAsync();
            else Assert.Equal(("released", run * 2), await events.NextWordAsync());
            var grant = await leases.GrantAsync(By("ann"));
            Assert.Equal(("granted", (run * 2) + 1), await events.NextWordAsync());
            since = events.Current.ResumeFrom;
            // Stored, and told to nobody before the restart.
            await leases.ReleaseAsync(grant);
        }
    }

    [Fact]
    public async Task Restart_WithAnotherEpoch_OrWithoutADisk_SaysResync()
    {
        await using (var leases = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time)) await leases.GrantAsync(By("ann"));
        DataFolder.BumpEpoch(_folder.Path);
        await using var restored = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
        await using var afterwards = await restored.WatchAsync(resource: R, since: new(1, History: 0));
        Assert.Equal(("resync", null), await afterwards.NextWordAsync());
        Assert.Equal(("state", 1), await afterwards.NextWordAsync());

        WatchPoint? told;
        await using (var first = EmbeddedLeases.InMemory(time: _time))
        {
            await first.GrantAsync(By("ann"));
            await using var events = await first.WatchAsync(resource: R);
            told = (await events.NextAsync()).ResumeFrom;
        }

        _time.Advance(Seconds(1));
        await using var second = EmbeddedLeases.InMemory(time: _time);
        for (var i = 0; i < 3; i++) await second.ReleaseAsync(await second.GrantAsync(By("bob")));
        await using var after = await second.WatchAsync(resource: R, since: told);
        Assert.Equal(("resync", null), await after.NextWordAsync());
        Assert.Equal(("state", 6), await after.NextWordAsync());
    }

    [Fact]
    public async Task Shutdown_EndsEveryWatch_AndStartsNoMore()
    {
        var leases = EmbeddedLeases.InMemory(time: _time);
        var watches =
            new[] { await leases.WatchAsync(resource: R), await leases.WatchAsync(key: "k"), await leases.WatchAsync(prefix: "") };
        await watches[0].NextAsync();
        await watches[1].NextAsync();
        var next = watches.Select(events => events.MoveNextAsync().AsTask()).ToList();
        var unread = (await leases.WatchAsync(new WatchRequest { Prefix = "" })).Value;

        await leases.DisposeAsync();

        foreach (var task in next) Assert.False(await task.WaitAsync(WaitTimeout));
        Assert.False(await unread.GetAsyncEnumerator().MoveNextAsync().AsTask().WaitAsync(WaitTimeout));
        foreach (var request in new WatchRequest[] { new() { Resource = R }, new() { Key = "k" }, new() { Prefix = "" } })
            Assert.IsType<Refusal.Unavailable>((await leases.WatchAsync(request)).Refusal);
    }

    [Fact]
    public async Task BoundKey_WhoseLeaseHasEnded_IsNeverShown_BeforeItsCleanUp()
    {
        var store = new ScriptedStore(new MemoryRecordStore());
        await using var leases = Engines.Over(store, _time);
        var grant = await leases.GrantAsync(By("ann"));
        await leases.PutAsync("k", "1", grant);
        await using var before = await leases.WatchAsync(key: "k", since: new(1));
        // The clean-up fails and is tried again a second later: so long the record says that the key is there.
        var fails = 1;
        var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.BeforeSaveKey = (_, _) =>
        {
            if (Interlocked.Exchange(ref fails, 0) == 0) return Task.CompletedTask;
            failed.SetResult();
            return Task.FromException(Fault);
        };
        await leases.ReleaseAsync(grant);
        await failed.Task.WaitAsync(WaitTimeout);

        await using var state = await leases.WatchAsync(key: "k");
        await using var replay = await leases.WatchAsync(key: "k", since: new(0));

        Assert.Equal(new KeyInfo { Key = "k", Version = 1 }, Assert.IsType<WatchEvent.KeySnapshot>(await state.NextAsync()).Key);
        var put = Assert.IsType<WatchEvent.KeyChanged>(await replay.NextAsync()).Key;
        Assert.Equal((1, KeyEventKind.KeyPut, null, null), (put.Version, put.Kind, put.Value, put.Lease));
        await UntilAsync(() => Task.FromResult(_time.NextTimerIn is not null));
        _time.Advance(Seconds(1));
        foreach (var events in new[] { before, state, replay }) Assert.Equal(("key-deleted", 2), await events.NextWordAsync());
    }

    [Fact]
    public async Task BoundKey_WhoseOutcomeWasUnknown_IsNotShown_OnceItsLeasesEndWasTold()
    {
        var store = new ScriptedStore(new MemoryRecordStore());
        await using var leases = Engines.Over(store, _time);
        var grant = await leases.GrantAsync(By("ann"));
        await leases.PutAsync("k", "1", grant);
        await using var events = await leases.WatchAsync(prefix: "");
        var fails = 1;
        store.AfterSaveKey = (_, _) => Interlocked.Exchange(ref fails, 0) == 1 ? Task.FromException(Fault) : Task.CompletedTask;
        // What is stored is loaded once its lease's end was told, and no earlier.
        var ended = new TaskCompletionSource();
        store.BeforeLoadKey = _ => ended.Task;
        Assert.IsType<Refusal.OutcomeUnknown>((await leases.PutAsync("k", "2", grant)).Refusal);
        Assert.Equal(("resync", null), await events.NextWordAsync());

        await leases.ReleaseAsync(grant);
        ended.SetResult();

        Assert.Equal(("released", 2), await events.NextWordAsync());
        Assert.Equal(("resync", null), await events.NextWordAsync());
        Assert.Null(await leases.ValueAsync("k"));
    }

    [Fact]
    public async Task Watched_StaysInMemory_UntilNobodyWatches()
    {
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
        var ofResource = await leases.WatchAsync(resource: R);
        var ofKey = await leases.WatchAsync(key: "k");
        await using var unread = (await leases.WatchAsync(new WatchRequest { Resource = "unread" })).Value;
        await ofResource.NextAsync();
        await ofKey.NextAsync();
        await UntilAsync(() =>
        {
            _time.Advance(Seconds(1));
            return Task.FromResult(leases.KeepersInMemory() == 2);
        });
        for (var i = 0; i < 60; i++) _time.Advance(Seconds(1));
        Assert.Equal(2, leases.KeepersInMemory());
        await leases.PutAsync("k", "1");
        Assert.Equal(("key-put", 1), await ofKey.NextWordAsync());

        await ofResource.DisposeAsync();
        await ofKey.DisposeAsync();

        await UntilAsync(() =>
        {
            _time.Advance(Seconds(1));
            return Task.FromResult(leases.KeepersInMemory() == 0);
        });
        // The one that was started and not read goes on at a new keeper.
        await leases.GrantAsync(By("ann", "unread"));
        await using var events = unread.GetAsyncEnumerator();
        Assert.Equal(("state", 0), await events.NextWordAsync());
        Assert.Equal(("granted", 1), await events.NextWordAsync());
    }

    [Fact]
    public async Task ExpiryThatASweepFinds_IsTold()
    {
        await using (var before = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time)) await before.GrantAsync(By("ann"));
        await using var leases = await EmbeddedLeases.OpenAsync(_folder.Path, time: _time);
        await using var ofPrefix = await leases.WatchAsync(prefix: "");
        var next = ofPrefix.NextWordAsync();
        await UntilAsync(() =>
        {
            _time.Advance(Seconds(1));
            return Task.FromResult(next.IsCompleted);
        });
        Assert.Equal(("expired", 2), await next);
    }
}
