using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>Hold at least: however early a lease ends, other owners wait until so long after its grant.</summary>
public sealed class HoldAtLeastTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private readonly MachineFixture _fixture = new();

    [Theory]
    [InlineData("release")]
    [InlineData("expiry")]
    [InlineData("break")]
    [InlineData("force")]
    public void Hold_HoweverTheLeaseEnds_KeepsOthersOutSinceTheGrant(string end)
    {
        var token = _fixture.Grant(Held(60));
        _fixture.Advance(2);
        if (end == "release") _fixture.Release(token);
        else if (end != "expiry") _fixture.Break(token, grace: 3, force: end == "force");
        _fixture.Advance(8);

        Assert.Equal(Seconds(50), Refused<Refusal.Held>(_fixture.Acquire(Ask("next"))).RetryAfter);
        Assert.Empty(_fixture.State.Holders);
        _fixture.Time.Advance(Seconds(50) - Tick);
        Refused<Refusal.Held>(_fixture.Acquire(Ask("next")));
        _fixture.Time.Advance(Tick);
        _fixture.Grant("next");
        Assert.Null(_fixture.State.Hold);
    }

    [Fact]
    public void Hold_ThatIsOverBeforeTheLease_KeepsNobodyOut()
    {
        var token = _fixture.Grant(Held(5));
        _fixture.Advance(5);
        _fixture.Release(token);

        _fixture.Grant("next");
    }

    [Fact]
    public void Hold_DoesNotBindItsOwner_WhoseNextReleaseDoesNotEndIt()
    {
        _fixture.Release(_fixture.Grant(Held(60)));

        _fixture.Release(_fixture.Grant(id: "again"));

        Assert.Equal(Seconds(60), Refused<Refusal.Held>(_fixture.Acquire(Ask("next"))).RetryAfter);
    }

    [Fact]
    public void Hold_OfAnEarlierLease_IsNotCutShortByALaterOne()
    {
        _fixture.Release(_fixture.Grant(Held(60)));
        _fixture.Release(_fixture.Grant(Held(1, id: "again")));

        Assert.Equal(Seconds(60), Refused<Refusal.Held>(_fixture.Acquire(Ask("next"))).RetryAfter);
        _fixture.Release(_fixture.Grant(Held(90, id: "longer")));
        Assert.Equal(Seconds(90), Refused<Refusal.Held>(_fixture.Acquire(Ask("next"))).RetryAfter);
    }

    [Fact]
    public void Hold_OfAGrantThatNobodyWasTold_KeepsNobodyOut()
    {
        var token = _fixture.Grant(Held(60));
        _fixture.Release(token, undelivered: true);

        _fixture.Grant("next");
    }

    [Fact]
    public void Transfer_HandsTheHoldOn_CountedFromTheGrantThatAskedForIt()
    {
        var token = _fixture.Grant(Held(60));
        _fixture.Advance(9);
        var next = Assert.IsType<LeaseReply.Granted>(_fixture.Transfer(token, to: "you")).Token;
        _fixture.Advance(1);
        _fixture.Release(next, "you");

        Assert.Equal(Seconds(50), Refused<Refusal.Held>(_fixture.Acquire(Ask("me", id: "again"))).RetryAfter);
        _fixture.Grant("you");
    }

    [Fact]
    public void Holds_OfTwoOwners_BindEachByTheOther()
    {
        _fixture.Release(_fixture.Grant(Held(60)));
        var token = _fixture.Grant(Held(30, id: "again"));
        var next = Assert.IsType<LeaseReply.Granted>(_fixture.Transfer(token, to: "you")).Token;
        _fixture.Release(next, "you");

        foreach (var owner in new[] { "me", "you", "next" })
            Assert.Equal(Seconds(60), Refused<Refusal.Held>(_fixture.Acquire(Ask(owner, id: owner))).RetryAfter);
    }

    [Fact]
    public void Release_EndsTheLockDelayOfItsOwner_AndNotTheHold()
    {
        _fixture.Grant(Held(30) with { LockDelay = Seconds(60) });
        _fixture.Advance(10);
        Says("is in the lock-delay that 'me' left; it ends in 60000 ms at the latest");
        _fixture.Release(_fixture.Grant(id: "again"));

        Says("is to be held for 20000 ms more at the latest");
    }

    [Fact]
    public void Held_SaysWhenOthersMayComeIn_HoweverSoonTheLeaseEnds()
    {
        _fixture.Grant(Held(60));

        Assert.Equal(Seconds(60), Refused<Refusal.Held>(_fixture.Acquire(Ask("next"))).RetryAfter);
        Assert.Equal(Seconds(10), Refused<Refusal.Held>(_fixture.Acquire(Ask("me", id: "again"))).RetryAfter);
        Assert.Equal(Seconds(60), LeaseViews.Info("r", _fixture.State, _fixture.Clock.Read(), waiters: 0, queue: null).AvailableIn);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void NextWake_OfAHold_IsForThoseWhoWait(bool someoneWaits)
    {
        _fixture.Release(_fixture.Grant(Held(5)));

        Assert.Equal(someoneWaits ? Seconds(5) : null, LeaseMachine.NextWake(_fixture.State, someoneWaits));
    }

    [Fact]
    public void Hold_ThatIsOverWhileOthersWait_WakesNobodyAgain()
    {
        _fixture.Release(_fixture.Grant(Held(5)));
        _fixture.Grant(ttl: 60, id: "again");
        _fixture.Wait(Ask("other"));
        _fixture.Advance(5);

        _fixture.Tick();

        Assert.Equal(_fixture.Clock.Read().Monotonic + Seconds(55), LeaseMachine.NextWake(_fixture.State, someoneWaits: true));
    }

    [Theory]
    [InlineData("a", false)]
    [InlineData("b", false)]
    [InlineData("b", true)]
    public void Resume_BeforeTheEndOrAfterIt_WaitsForTheRestAndForTheSkewOnce(string incarnation, bool ended)
    {
        var token = _fixture.Grant(Held(60));
        if (ended) _fixture.Release(token);
        _fixture.Advance(20);
        for (var i = 0; i < 3; i++)
        {
            _fixture.Reload(incarnation + i);
            _fixture.Tick();
        }

        Assert.Empty(_fixture.State.Holders);
        _fixture.Time.Advance(Seconds(40 + 1) - Tick);
        Refused<Refusal.Held>(_fixture.Acquire(Ask("next")));
        _fixture.Time.Advance(Tick);
        _fixture.Grant("next");
    }

    [Fact]
    public void Resume_OfAHoldStoredByAClockFarAhead_WaitsNoLongerThanItLasts()
    {
        _fixture.Time.StepWall(Seconds(3600));
        _fixture.Release(_fixture.Grant(Held(30)));
        _fixture.Time.StepWall(-Seconds(3600));
        _fixture.Reload("b");

        _fixture.Time.Advance(Seconds(31) - Tick);
        Refused<Refusal.Held>(_fixture.Acquire(Ask("next")));
        _fixture.Time.Advance(Tick);
        _fixture.Grant("next");
    }

    // The writer's clock was ahead of this one's, as that of a machine that slept may be behind.
    [Fact]
    public void Holds_OfOneOwner_EndWithTheLaterOneByTheNextClockAsWell()
    {
        _fixture.Time.StepWall(Seconds(3600));
        _fixture.Release(_fixture.Grant(Held(50)));
        _fixture.Advance(40);
        var token = _fixture.Grant(Held(20, id: "again"));
        _fixture.Time.StepWall(-Seconds(3600));
        _fixture.Reload("b");
        _fixture.Release(token);
        _fixture.Time.StepWall(Seconds(3600));
        _fixture.Reload("c");

        _fixture.Time.Advance(Seconds(20 + 1) - Tick);
        Refused<Refusal.Held>(_fixture.Acquire(Ask("next")));
        _fixture.Time.Advance(Tick);
        _fixture.Grant("next");
    }

    [Fact]
    public void Record_HasTheNewerSchema_OnlyWhileItTellsOfAHold()
    {
        var token = _fixture.Grant(Held(60));
        Assert.Equal(2, _fixture.Stored.Schema);
        _fixture.Release(token);
        Assert.Equal(2, _fixture.Stored.Schema);
        _fixture.Advance(60);

        _fixture.Grant("next");

        Assert.Equal(1, _fixture.Stored.Schema);
    }

    [Fact]
    public void Acquire_RepeatedWithAnotherHold_Conflicts()
    {
        _fixture.Grant(Held(60));

        Assert.IsType<LeaseReply.Granted>(_fixture.Acquire(Held(60)));
        Refused<Refusal.Conflict>(_fixture.Acquire(Held(61)));
        Refused<Refusal.Conflict>(_fixture.Acquire(Held(0)));
    }

    private static AcquireRequest Held(double seconds, string? id = null) => Ask(id: id) with { HoldAtLeast = Seconds(seconds) };

    private void Says(string what) => Assert.Contains(
        what, Refused<Refusal.Held>(_fixture.Acquire(Ask("next"))).Detail, StringComparison.Ordinal);
}
