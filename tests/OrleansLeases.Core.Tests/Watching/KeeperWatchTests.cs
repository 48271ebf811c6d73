using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>Where the watch of one keeper ends; whoever follows it starts the next one at once, so it must not end before.</summary>
public sealed class KeeperWatchTests
{
    private static readonly TimeSpan WaitTimeout = TimeSpan.FromSeconds(30);

    private readonly KeeperFixture _fixture = new();

    [Fact]
    public async Task Watch_StartedAfterAnUnknownOutcome_WaitsForTheNextChange()
    {
        await using var before = Now<LeaseWatch>(_fixture.Keeper.Submit(new LeaseCommand.Watch(new(0)))!).GetAsyncEnumerator();
        var ended = before.MoveNextAsync();
        _fixture.Store.OnSave(_ => throw new IOException("before"));
        Now<Refusal.OutcomeUnknown>(_fixture.Acquire(Ask()));
        Assert.False(await ended.AsTask().WaitAsync(WaitTimeout));

        await using var after = Now<LeaseWatch>(_fixture.Keeper.Submit(new LeaseCommand.Watch(new(0)))!).GetAsyncEnumerator();
        var next = after.MoveNextAsync();

        Assert.False(next.IsCompleted);
        _fixture.Grant();
        Assert.True(await next.AsTask().WaitAsync(WaitTimeout));
    }

    [Fact]
    public async Task Watch_StartedWhileTheKeeperStops_Ends()
    {
        _fixture.Store.Hold = true;
        var starting = _fixture.Keeper.Submit(new LeaseCommand.Watch(new(0)))!;
        _fixture.Keeper.Stop();
        _fixture.Store.Held[0].Complete();

        await using var events = Now<LeaseWatch>(starting).GetAsyncEnumerator();

        Assert.False(await events.MoveNextAsync().AsTask().WaitAsync(WaitTimeout));
    }

    [Fact]
    public async Task Watches_OfOneKeeper_AllSeeEveryChange()
    {
        await using var first = Watch(since: 0);
        await using var second = Watch(since: 0);
        var token = _fixture.Grant().Token;
        foreach (var watch in new[] { first, second }) Assert.Equal(LeaseEventKind.Granted, await KindAsync(watch));

        Now<LeaseRelease>(_fixture.Release(token));

        foreach (var watch in new[] { first, second }) Assert.Equal(LeaseEventKind.Released, await KindAsync(watch));
    }

    [Fact]
    public async Task Watch_OfWhatATwinChanged_SeesItWithTheNextLoad()
    {
        await using var watch = Watch(since: 0);
        Twin().Grant();

        _fixture.Info(fresh: true);

        Assert.Equal(LeaseEventKind.Granted, await KindAsync(watch));
    }

    [Fact]
    public async Task Watch_OfWhatATwinHasDropped_Ends_ThoughNothingIsKnownHereOfTheFloor()
    {
        await using var watch = Watch(since: 0);
        var rules = NewRules("twin") with { Retention = new(Seconds(60), new Dictionary<string, TimeSpan>()) };
        var twin = new KeeperFixture(rules, _fixture.Store, _fixture.Time);
        var token = twin.Grant().Token;
        _fixture.Info(fresh: true);
        Assert.Equal(LeaseEventKind.Granted, await KindAsync(watch));
        var next = watch.MoveNextAsync();
        // The end of the lease is gone with the record before it is shown here.
        Now<LeaseRelease>(twin.Release(token));
        twin.Advance(rules.IdleBeforeDrop(KeeperFixture.Resource)!.Value);
        Assert.NotNull(twin.Keeper.SubmitDrop());
        Assert.Equal(0, _fixture.Stored.Version);

        _fixture.Info(fresh: true);

        Assert.False(await next.AsTask().WaitAsync(WaitTimeout));
        var again = Now<LeaseWatch>(_fixture.Keeper.Submit(new LeaseCommand.Watch(new(1)))!);
        await using var events = again.GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync());
        Assert.IsType<WatchEvent.Resync>(events.Current);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Watch_ThatIsRead_HasTheStoreLookedAtEveryFiveSeconds(bool isRead)
    {
        await using var watch = Watch(since: 0);
        var next = watch.MoveNextAsync();
        Twin().Grant(ttl: 3600);
        var loads = _fixture.Store.Loads;
        if (!isRead)
        {
            _fixture.Info(fresh: true);
            Assert.True(await next.AsTask().WaitAsync(WaitTimeout));
            await watch.DisposeAsync();
            _fixture.Advance(60);
            Assert.Equal(loads + 1, _fixture.Store.Loads);
            return;
        }

        _fixture.Advance(4.999);
        Assert.Equal(loads, _fixture.Store.Loads);
        _fixture.Advance(0.001);
        Assert.True(await next.AsTask().WaitAsync(WaitTimeout));
        _fixture.Advance(10);
        Assert.Equal(loads + 3, _fixture.Store.Loads);
    }

    [Fact]
    public async Task Watch_ThatIsFirstReadLate_HasTheStoreLookedAtFromThenOn()
    {
        await using var watch = Watch(since: 0);
        _fixture.Advance(60);
        var next = watch.MoveNextAsync();
        Twin().Grant(ttl: 3600);

        _fixture.Advance(5);

        Assert.True(await next.AsTask().WaitAsync(WaitTimeout));
    }

    [Fact]
    public void Watch_WhereNobodyElseWrites_HasTheStoreLeftAlone()
    {
        var fixture = new KeeperFixture(lends: host => host with { IsSingleWriter = true });
        var watch = Now<LeaseWatch>(fixture.Keeper.Submit(new LeaseCommand.Watch(new(0)))!).GetAsyncEnumerator();
        _ = watch.MoveNextAsync().AsTask();
        var loads = fixture.Store.Loads;

        fixture.Advance(60);

        Assert.Equal(loads, fixture.Store.Loads);
    }

    [Fact]
    public async Task Keeper_ThatIsWatched_StaysInMemory()
    {
        var fixture = new KeeperFixture(idleAfter: Seconds(10));
        var watch = Now<LeaseWatch>(fixture.Keeper.Submit(new LeaseCommand.Watch(new(0)))!).GetAsyncEnumerator();
        var next = watch.MoveNextAsync();
        fixture.Advance(60);
        fixture.Grant(ttl: 1);
        Assert.True(await next.AsTask().WaitAsync(WaitTimeout));

        await watch.DisposeAsync();
        fixture.Advance(30);

        Assert.Null(fixture.Keeper.Submit(LeaseCommand.Tick.Instance));
    }

    [Fact]
    public async Task Watch_ThatIsFirstReadOnceItsKeeperHasRetired_Ends()
    {
        var fixture = new KeeperFixture(idleAfter: Seconds(10));
        await using var watch = Now<LeaseWatch>(fixture.Keeper.Submit(new LeaseCommand.Watch(new(0)))!).GetAsyncEnumerator();

        fixture.Advance(30);

        Assert.False(await watch.MoveNextAsync().AsTask().WaitAsync(WaitTimeout));
    }

    [Fact]
    public async Task Prefix_IsShownWhatHasChangedSinceTheKeeperLoaded()
    {
        var prefixes = new PrefixWatchers();
        var fixture = new KeeperFixture(lends: host => host with { Prefixes = prefixes });
        Now<LeaseRelease>(fixture.Release(fixture.Grant(id: "one").Token));
        fixture.Forget();
        await using var watch = prefixes.Start("").GetAsyncEnumerator();
        fixture.Info();

        var token = fixture.Grant(id: "two").Token;
        Now<LeaseRelease>(fixture.Release(token));

        Assert.Equal(LeaseEventKind.Granted, await KindAsync(watch));
        Assert.Equal(token, ((WatchEvent.LeaseChanged)watch.Current).Lease.Token);
        Assert.Equal(LeaseEventKind.Released, await KindAsync(watch));
    }

    [Fact]
    public async Task Prefix_OfWhichAChangeMayBeMissed_IsCutOffOnce()
    {
        var prefixes = new PrefixWatchers();
        var fixture = new KeeperFixture(lends: host => host with { Prefixes = prefixes });
        fixture.Info();
        await using var before = prefixes.Start("").GetAsyncEnumerator();
        fixture.Store.OnSave(_ => throw new IOException("before"));
        Now<Refusal.OutcomeUnknown>(fixture.Acquire(Ask()));
        Assert.False(await before.MoveNextAsync().AsTask().WaitAsync(WaitTimeout));

        await using var after = prefixes.Start("").GetAsyncEnumerator();
        fixture.Store.OnLoad(_ => throw new IOException("still"));
        Now<Refusal.Unavailable>(fixture.Acquire(Ask()));
        fixture.Grant();

        Assert.Equal(LeaseEventKind.Granted, await KindAsync(after));
    }

    private KeeperFixture Twin() => new(NewRules("twin"), _fixture.Store, _fixture.Time);

    private IAsyncEnumerator<WatchEvent> Watch(long since) =>
        Now<LeaseWatch>(_fixture.Keeper.Submit(new LeaseCommand.Watch(new(since)))!).GetAsyncEnumerator();

    private static async Task<LeaseEventKind> KindAsync(IAsyncEnumerator<WatchEvent> watch)
    {
        Assert.True(await watch.MoveNextAsync().AsTask().WaitAsync(WaitTimeout));
        return Assert.IsType<WatchEvent.LeaseChanged>(watch.Current).Lease.Kind;
    }
}
