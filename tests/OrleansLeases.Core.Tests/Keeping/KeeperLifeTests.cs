using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>How keepers leave memory, stop, and go on after a defect.</summary>
public sealed class KeeperLifeTests
{
    private readonly KeeperFixture _fixture = new(idleAfter: Seconds(60));

    [Fact]
    public void Keeper_OfAFreeResource_RetiresByAnAlarmOfItsOwn()
    {
        _fixture.Info();
        _fixture.Advance(59.999);
        _fixture.Info();

        _fixture.Advance(60);

        Assert.Null(_fixture.Keeper.Submit(LeaseCommand.Tick.Instance));
        Assert.True(_fixture.Keeper.OnAlarm(_fixture.Time.Elapsed));
    }

    [Fact]
    public void Keeper_OfAKey_RetiresWhenItWasNotUsed()
    {
        var keeper = KeyKeeper();
        _fixture.Advance(30);
        Now<Refusal.NotFound>(keeper.Submit(new KeyCommand.Get())!);

        _fixture.Advance(59.999);
        Assert.False(keeper.OnAlarm(_fixture.Time.Elapsed));
        // A clean-up is no use of it.
        Assert.Same(KeyReply.Cleaned.Instance, Now<KeyReply>(keeper.Submit(new KeyCommand.Clean("r", 1))!));
        _fixture.Advance(0.001);

        Assert.True(keeper.OnAlarm(_fixture.Time.Elapsed));
        Assert.Null(keeper.Submit(new KeyCommand.Get()));
        Assert.True(keeper.OnAlarm(_fixture.Time.Elapsed));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stop_OfSeveral_TheFirstOnesAnswerStands(bool ofAKey)
    {
        Keeper keeper = ofAKey ? KeyKeeper() : _fixture.Keeper;
        await using var watch = ofAKey
            ? Now<KeyReply.Watched>(((KeyKeeper)keeper).Submit(new KeyCommand.Watch(new(0)))!).Watch!.Start(ended: false)
                .GetAsyncEnumerator()
            : Now<LeaseWatch>(_fixture.Keeper.Submit(new LeaseCommand.Watch(new(0)))!).GetAsyncEnumerator();
        var next = watch.MoveNextAsync();

        keeper.Stop(new(TimeSpan.Zero, "first"));
        keeper.Stop(new(TimeSpan.Zero, "second"));

        Task answer = ofAKey ? ((KeyKeeper)keeper).Submit(new KeyCommand.Get())! : _fixture.Acquire(Ask());
        Assert.Equal("first", Now<Refusal.Unavailable>(answer).Detail);
        Assert.False(await next);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Stop_WhileACallIsStored_LeavesOpenWhetherAWaiterWasGranted(bool stores)
    {
        var token = _fixture.Grant(ttl: 60).Token;
        var waits = _fixture.Acquire(Ask("other") with { Wait = Seconds(20) });
        _fixture.Store.Hold = true;
        if (stores) _ = _fixture.Release(token);

        _fixture.Keeper.Stop();

        if (stores) Now<Refusal.OutcomeUnknown>(waits);
        else Now<Refusal.Unavailable>(waits);
    }

    [Fact]
    public void Stop_WhileACallIsStored_SetsNoMoreAlarms()
    {
        _fixture.Store.Hold = true;
        _ = _fixture.Acquire(Ask());
        _fixture.Store.Held[0].Complete();
        _fixture.Keeper.Stop();

        var alarms = _fixture.AlarmsSet;
        _fixture.Store.Held[0].Complete();

        Assert.Equal(alarms, _fixture.AlarmsSet);
    }

    [Fact]
    public void Calls_ThatWaitForTheStore_AreLimited()
    {
        _fixture.Store.Hold = true;
        var first = _fixture.Do(LeaseCommand.GetHistory.Instance);
        for (var i = 0; i < 20_000; i++) _ = _fixture.Do(LeaseCommand.GetHistory.Instance);

        Assert.Equal("calls", Now<Refusal.LimitReached>(_fixture.Do(LeaseCommand.GetHistory.Instance)).Limit);

        _fixture.Store.Held[0].Complete();
        Now<LeaseHistory>(first);
        Now<LeaseHistory>(_fixture.Do(LeaseCommand.GetHistory.Instance));
    }

    [Fact]
    public void Defect_WhileACallIsProcessed_IsItsCallersAlone_AndWhatWasKnownIsForgotten()
    {
        var token = _fixture.Grant(ttl: 60).Token;
        var waits = _fixture.Acquire(Ask("other") with { Wait = Seconds(20) });
        _fixture.Store.OnSave(_ => throw new InsufficientMemoryException());

        Assert.True(_fixture.Release(token).IsFaulted);

        // Those who wait have it looked at again, and not at once.
        var loads = _fixture.Store.Loads;
        _fixture.Advance(0.999);
        Assert.Equal(loads, _fixture.Store.Loads);
        _fixture.Advance(0.001);
        Assert.Equal(loads + 1, _fixture.Store.Loads);
        Now<LeaseRelease>(_fixture.Release(token));
        Now<LeaseGrant>(waits);
    }

    [Fact]
    public void Keeper_ThatForgotTheRecord_LoadsItForNobody()
    {
        _fixture.Store.OnSave(_ => throw new IOException("no answer"));
        Now<Refusal.OutcomeUnknown>(_fixture.Acquire(Ask()));
        var loads = _fixture.Store.Loads;

        _fixture.Advance(50);

        Assert.Equal(loads, _fixture.Store.Loads);
    }

    [Fact]
    public void CleanUps_AreDispatchedOnce_AndAgainAfterALoad()
    {
        var cleaner = new NotingCleaner();
        var fixture = new KeeperFixture(lends: host => host with { Cleaner = cleaner });
        foreach (var id in new[] { "one", "two" })
        {
            var token = fixture.Grant(id: id).Token;
            fixture.Do(new LeaseCommand.Attach(new() { Resource = KeeperFixture.Resource, Owner = "me", Token = token }, "k", 0));
            Now<LeaseRelease>(fixture.Release(token));
        }

        Assert.Equal([1, 2], cleaner.Tokens);
        fixture.Forget();
        fixture.Info();
        Assert.Equal([1, 2, 1, 2], cleaner.Tokens);
    }

    private KeyKeeper KeyKeeper()
    {
        SynchronizationContext.SetSynchronizationContext(null);
        return new("k", _fixture.Host, new MemoryRecordStore());
    }

    private sealed class NotingCleaner : IKeyCleaner
    {
        public List<long> Tokens { get; } = [];

        public void CleanUp(string resource, PendingCleanUp ended) => Tokens.Add(ended.Token);
    }
}
