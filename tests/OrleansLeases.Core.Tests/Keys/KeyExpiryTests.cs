using OrleansLeases.Testing;
using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>Keys with a time of their own: there until it is over, absent from then on for everyone.</summary>
public sealed class KeyExpiryTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);

    private readonly ManualTimeProvider _time = new();
    private LeaseRules _rules = NewRules();
    private LeaseClock _clock;
    private KeyState _state = KeyState.Unused;
    private KeyState _stored = KeyState.Unused;

    public KeyExpiryTests() => _clock = new(_time);

    [Fact]
    public void Get_UntilTheTimeIsOver_FindsIt_AndThenStoresTheEndBeforeItIsTold()
    {
        Put("up", ttl: 10);
        _time.Advance(Seconds(10) - Tick);
        Assert.Equal("up", Assert.IsType<KeyReply.Found>(Apply(new KeyCommand.Get())).Value);
        var before = _stored;
        _time.Advance(Tick);

        Assert.IsType<Refusal.NotFound>(Refused(Apply(new KeyCommand.Get())));

        Assert.Equal((before.Version + 1, 2, null, null), (_stored.Version, _stored.Revision, _stored.Value, _stored.Expiry));
        var end = _stored.Log.NewestFirst().First();
        Assert.Equal((KeyEventKind.KeyDeleted, true, Now + Seconds(10)), (end.Kind, end.Expired, end.At));
        // So a sweep may drop it some time.
        Assert.Equal(Now + Seconds(10), _stored.IdleSince);
        // Once for all.
        Apply(new KeyCommand.Get());
        Assert.Equal(2, _stored.Revision);
    }

    [Fact]
    public void Change_OfAKeyWhoseTimeIsOver_IsThatOfOneThatIsNotThere()
    {
        Put("up", ttl: 10);
        _time.Advance(Seconds(10));

        Assert.Equal(0, Assert.IsType<Refusal.Conflict>(Refused(Apply(Put("new", ifVersion: 1)))).Current);
        Assert.Equal(new KeyReply.Deleted(Existed: false), Apply(new KeyCommand.Delete(null)));
        Assert.Equal(new KeyReply.Written(3, null, Replayed: false), Apply(Put("new", ifVersion: 0)));
    }

    [Fact]
    public void Put_OverAKeyWhoseTimeIsOver_IsTwoChangesInOneWrite()
    {
        Put("up", ttl: 10);
        _time.Advance(Seconds(10));

        Assert.Equal(3, Assert.IsType<KeyReply.Written>(Apply(PutOf("new", ttl: null))).Revision);

        Assert.Equal((2, "new"), (_stored.Version, _stored.Value));
        Assert.Equal(
            [KeyEventKind.KeyPut, KeyEventKind.KeyDeleted, KeyEventKind.KeyPut], _stored.Log.NewestFirst().Select(entry => entry.Kind));
    }

    [Fact]
    public void Put_WithoutATime_MakesTheKeyStay_AndWithOneCountsAnew()
    {
        Put("up", ttl: 10);
        _time.Advance(Seconds(9));
        Put("again", ttl: 10);
        _time.Advance(Seconds(9));
        Assert.IsType<KeyReply.Found>(Apply(new KeyCommand.Get()));

        Put("for good");
        _time.Advance(Seconds(3600));

        Assert.IsType<KeyReply.Found>(Apply(new KeyCommand.Get()));
    }

    [Fact]
    public void Put_Repeated_DoesNotProlongIt()
    {
        var put = KeyCommand.Of(new PutKeyRequest { Value = "up", Ttl = Seconds(10), RequestId = "once" });
        Apply(put);
        _time.Advance(Seconds(9));
        Assert.True(Assert.IsType<KeyReply.Written>(Apply(put)).Replayed);
        _time.Advance(Seconds(1));

        Assert.IsType<Refusal.NotFound>(Refused(Apply(new KeyCommand.Get())));
        Assert.True(Assert.IsType<KeyReply.Written>(Apply(put)).Replayed);
        Assert.IsType<Refusal.Conflict>(
            Refused(Apply(KeyCommand.Of(new PutKeyRequest { Value = "up", Ttl = Seconds(11), RequestId = "once" }))));
    }

    [Fact]
    public void Add_LeavesTheTimeAsItIs_AndStartsWithoutOne()
    {
        Put("5", ttl: 10);
        _time.Advance(Seconds(9));
        Assert.Equal(7, Assert.IsType<KeyReply.Written>(Apply(Add(2))).Sum);
        _time.Advance(Seconds(1));

        Assert.Equal(2, Assert.IsType<KeyReply.Written>(Apply(Add(2))).Sum);
        Assert.Null(_stored.Expiry);
    }

    [Fact]
    public void ABoundKey_HasNoTimeOfItsOwn()
    {
        var lease = new KeyLease { Resource = "r", Owner = "me", Token = 7 };
        Put("5", ttl: 10);
        Apply(Add(2, lease) with { LeaseCheck = new(0, Ended: false, Attached: true) });

        Assert.Equal((new KeyBinding("r", "me", 7), null, 1), (_stored.Binding, _stored.Expiry, _stored.Schema));
    }

    [Theory]
    [InlineData("a", 0)]
    [InlineData("b", 1)]
    public void Resume_WaitsForTheRestAndForAnothersSkew(string incarnation, double skew)
    {
        Put("up", ttl: 10);
        _time.Advance(Seconds(3));
        Reload(incarnation);

        _time.Advance(Seconds(7 + skew) - Tick);
        Assert.IsType<KeyReply.Found>(Apply(new KeyCommand.Get()));
        _time.Advance(Tick);
        Assert.IsType<Refusal.NotFound>(Refused(Apply(new KeyCommand.Get())));
    }

    [Fact]
    public void Resume_ByTheRunThatStoredIt_EndsWhenItWasTo_ThoughItsClockWasSetForward()
    {
        _time.StepWall(Seconds(3600));
        Put("up", ttl: 10);
        _time.Advance(Seconds(9));
        Reload("a");

        _time.Advance(Seconds(1) - Tick);
        Assert.IsType<KeyReply.Found>(Apply(new KeyCommand.Get()));
        _time.Advance(Tick);
        Assert.IsType<Refusal.NotFound>(Refused(Apply(new KeyCommand.Get())));
    }

    [Fact]
    public void Resume_OfATimeStoredByAClockFarAhead_LastsNoLongerThanItWasToLast()
    {
        _time.StepWall(Seconds(3600));
        Put("up", ttl: 10);
        _time.StepWall(-Seconds(3600));
        Reload("b");

        _time.Advance(Seconds(11));

        Assert.IsType<Refusal.NotFound>(Refused(Apply(new KeyCommand.Get())));
    }

    [Fact]
    public void Record_IsDueAndHasTheNewerSchema_OnlyWhileTheKeyHasATime()
    {
        Put("up", ttl: 10);
        Assert.Equal((2, (long)(Now + Seconds(10)).TotalMilliseconds), (_stored.Schema, ((IRecord)_stored).Due));
        Put("for good");
        Assert.Equal((1, null), (_stored.Schema, ((IRecord)_stored).Due));
        Put("up", ttl: 10);
        _time.Advance(Seconds(10));
        Apply(KeyCommand.Tick.Instance);
        Assert.Equal((1, null), (_stored.Schema, ((IRecord)_stored).Due));
    }

    [Fact]
    public async Task Listing_LeavesOutWhatIsOver_FoundOrNot()
    {
        Put("up", ttl: 10);
        Assert.Single((await ListAsync()).Keys);
        _time.Advance(Seconds(10));

        Assert.Empty((await ListAsync()).Keys);
    }

    [Fact]
    public void Keeper_IsWokenWhenTheTimeIsOver_AndTellsItsWatchers()
    {
        var (fixture, store) = (new KeeperFixture(), new MemoryRecordStore());
        SynchronizationContext.SetSynchronizationContext(null);
        var keeper = new KeyKeeper("k", fixture.Host, store);
        Now<KeyReply.Written>(keeper.Submit(PutOf("up", 10))!);
        Assert.Equal(1, fixture.AlarmsSet);

        fixture.Time.Advance(Seconds(10));
        Assert.False(keeper.OnAlarm(Seconds(10)));
        _ = keeper.Wake();

        var change = Assert.IsType<WatchEvent.KeyChanged>(WatchViews.Changes("k", Stored(store), after: 1).Single()).Key;
        Assert.Equal((KeyEventKind.KeyDeleted, 2, "expired"), (change.Kind, change.Version, change.Reason));
    }

    [Fact]
    public void Keeper_ThatKnowsNothing_DeletesWhatASweepFound()
    {
        var (fixture, store) = (new KeeperFixture(), new MemoryRecordStore());
        SynchronizationContext.SetSynchronizationContext(null);
        Now<KeyReply.Written>(new KeyKeeper("k", fixture.Host, store).Submit(PutOf("up", 10))!);
        fixture.Time.Advance(Seconds(10));

        _ = new KeyKeeper("k", fixture.Host, store).Wake();

        Assert.Null(Stored(store).Value);
    }

    [Theory]
    [InlineData(9, false)]
    [InlineData(10, true)]
    public void Keeper_IdleWhenTheTimeIsOver_LooksAtThatBeforeItLeavesMemory(double after, bool isOver)
    {
        var (fixture, store) = (new KeeperFixture(idleAfter: Seconds(5)), new HeldStore());
        SynchronizationContext.SetSynchronizationContext(null);
        var keeper = new KeyKeeper("k", fixture.Host, store);
        var put = keeper.Submit(PutOf("up", 10))!;
        store.AnswerAll();
        Now<KeyReply.Written>(put);

        fixture.Time.Advance(Seconds(after));

        Assert.Equal(!isOver, keeper.OnAlarm(fixture.Host.Clock.Read().Monotonic));
    }

    [Fact]
    public void Keeper_WithoutADisk_StaysUntilTheEndOfItsKey()
    {
        var (fixture, store) = (new KeeperFixture(idleAfter: Seconds(5)), new MemoryRecordStore());
        SynchronizationContext.SetSynchronizationContext(null);
        var keeper = new KeyKeeper("k", fixture.Host, store);
        Now<KeyReply.Written>(keeper.Submit(PutOf("up", 60))!);
        fixture.Time.Advance(Seconds(30));
        Assert.False(keeper.OnAlarm(Seconds(30)));
        fixture.Time.Advance(Seconds(30));
        _ = keeper.Wake();

        fixture.Time.Advance(Seconds(10));

        Assert.True(keeper.OnAlarm(Seconds(70)));
    }

    [Fact]
    public void Twin_ThatDidNotHearOfAnotherPut_DoesNotDeleteIt()
    {
        var (fixture, store) = (new KeeperFixture(), new MemoryRecordStore());
        SynchronizationContext.SetSynchronizationContext(null);
        var (one, twin) = (new KeyKeeper("k", fixture.Host, store), new KeyKeeper("k", fixture.Host, store));
        Now<KeyReply.Written>(one.Submit(PutOf("up", 10))!);
        Now<KeyReply.Written>(twin.Submit(PutOf("later", 60))!);
        fixture.Time.Advance(Seconds(10));

        _ = one.Wake();

        Assert.Equal("later", Stored(store).Value);
        Assert.Equal("later", Now<KeyReply.Found>(one.Submit(new KeyCommand.Get())!).Value);
    }

    private static TimeSpan Now => TimeSpan.FromMilliseconds(1_893_456_000_000);

    private static KeyState Stored(MemoryRecordStore store) => store.LoadAsync(RecordKind.Key, "k").AsTask().Result.Key;

    private static Refusal? Refused<TReply>(KeyReply<TReply> reply)
        where TReply : KeyReply<TReply> => reply.ToResult().Refusal;

    private static KeyCommand<KeyReply.Written> PutOf(string value, double? ttl, long? ifVersion = null) => KeyCommand.Of(
        new PutKeyRequest
        {
            Value = value, Ttl = ttl is { } s ? Seconds(s) : null, IfVersion = ifVersion, RequestId = Guid.NewGuid().ToString("N"),
        });

    private static KeyCommand<KeyReply.Written> Put(string value, long ifVersion) => PutOf(value, ttl: null, ifVersion);

    private static KeyCommand<KeyReply.Written> Add(long delta, KeyLease? lease = null) =>
        KeyCommand.Of(new AddToCounterRequest { Delta = delta, Lease = lease, RequestId = Guid.NewGuid().ToString("N") });

    private void Put(string value, double? ttl = null) => Apply(PutOf(value, ttl));

    private KeyReply<TReply> Apply<TReply>(KeyCommand<TReply> command)
        where TReply : KeyReply<TReply>
    {
        (var next, var reply) = KeyMachine.Apply("k", _state, command, _clock.Read(), _rules);
        if (!ReferenceEquals(next, _state))
        {
            Assert.Equal(_state.Version + 1, next.Version);
            _stored = RecordCodec.Key.Decode(RecordCodec.Key.Encode(next));
        }

        _state = next;
        return reply;
    }

    private void Reload(string incarnation)
    {
        // A run of a host has one clock.
        if (_rules.Incarnation != incarnation) _clock = new(_time);
        _rules = _rules with { Incarnation = incarnation };
        _state = _stored.Resume(_clock.Read(), _rules);
    }

    private async Task<KeyPage> ListAsync()
    {
        var page = new KeyListingPage(new ListKeysRequest(), _clock.Read(), _rules);
        page.Add("k", _stored);
        return (await page.ToPageAsync(new KeyWorld(), _time)).Value;
    }
}
