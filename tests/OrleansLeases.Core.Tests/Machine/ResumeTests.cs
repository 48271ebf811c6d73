using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>What a record just loaded still owes to what may have been told before.</summary>
public sealed class ResumeTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private readonly MachineFixture _fixture = new();

    [Theory]
    [InlineData("a", 0)]
    [InlineData("b", 1)]
    public void Resume_WhenAnIncarnationInherits_WaitsForTheHorizonAndForAnothersSkew(string incarnation, double skew)
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(1);
        _fixture.Renew(token);
        _fixture.Reload(incarnation);

        _fixture.Time.Advance(Seconds(20 + skew) - Tick);
        Assert.Single(Refused<Refusal.Held>(_fixture.Acquire(Ask("next"))).Holders);
        _fixture.Time.Advance(Tick);
        Assert.Equal(2, _fixture.Grant("next"));
    }

    [Fact]
    public void Resume_WhenTtlWasShortened_StillHonoursTheLongerPromise()
    {
        var token = _fixture.Grant(ttl: 100);
        _fixture.Renew(token, ttl: 1);
        _fixture.Reload();

        _fixture.Time.Advance(Seconds(100) - Tick);
        _fixture.Tick();

        Assert.Single(_fixture.State.Holders);
    }

    [Fact]
    public void Resume_WhenTtlHasFractionsOfAMillisecond_HonoursThem()
    {
        var fixture = new MachineFixture(NewRules() with { RenewalFactor = 1 });
        fixture.Grant(Ask() with { Ttl = TimeSpan.FromTicks(1_009_999) });
        fixture.Reload();

        fixture.Time.Advance(TimeSpan.FromTicks(1_009_998));
        fixture.Tick();

        Assert.Single(fixture.State.Holders);
    }

    [Fact]
    public void Resume_WhenReaderHasASmallerRenewalFactor_HonoursTheWritersHorizon()
    {
        _fixture.Rules = _fixture.Rules with { RenewalFactor = 3 };
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(1);
        _fixture.Renew(token);
        _fixture.Rules = _fixture.Rules with { RenewalFactor = 1 };
        _fixture.Reload("b");

        _fixture.Advance(29);
        _fixture.Tick();

        Assert.Single(_fixture.State.Holders);
    }

    [Fact]
    public void Resume_WhenTheWriterClockWasFarAhead_WaitsNoLongerThanWasEverPromised()
    {
        _fixture.Time.StepWall(Seconds(3600));
        _fixture.Grant(ttl: 10);
        _fixture.Time.StepWall(-Seconds(3600));
        _fixture.Reload("b");

        _fixture.Advance(11.001);

        Assert.Equal(2, _fixture.Grant("next"));
    }

    [Fact]
    public void Resume_WhenTheMachineSlept_WaitsMonotonically()
    {
        _fixture.Grant(ttl: 10);
        _fixture.Time.Suspend(Seconds(5));
        _fixture.Reload();

        // Asleep is not surely past: the wall clock may have been stepped.
        _fixture.Time.Advance(Seconds(10) - Tick);
        _fixture.Tick();
        Assert.Single(_fixture.State.Holders);
    }

    [Fact]
    public void Resume_WhenTheHolderShowsItsTokenAfterTheHorizonButBeforeTheFloor_ItResumes()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Reload("b");
        _fixture.Advance(10.5);

        Assert.IsType<LeaseReply.Renewed>(_fixture.Renew(token));
        Assert.Equal(Seconds(10), _fixture.Told(token));
    }

    [Theory]
    [InlineData("a", 0)]
    [InlineData("b", 1)]
    public void Resume_WhenTheLeaseRanOutWhileNobodyLooked_ItsLockDelayBeganThen(string incarnation, double skew)
    {
        _fixture.Grant(Ask(ttl: 10) with { LockDelay = Seconds(60) });
        var ran = _fixture.Clock.Read().Latest + Seconds(10 + skew);
        _fixture.Advance(40);
        _fixture.Reload(incarnation);

        Assert.Equal(Seconds(30 + skew), Refused<Refusal.Held>(_fixture.Acquire(Ask("next"))).RetryAfter);
        Assert.Equal(
            (LeaseEventKind.Expired, ran), (_fixture.Stored.Log.NewestFirst().First().Kind, _fixture.Stored.Log.NewestFirst().First().At));
        _fixture.Time.Advance(Seconds(30 + skew) - Tick);
        Refused<Refusal.Held>(_fixture.Acquire(Ask("next")));
        _fixture.Time.Advance(Tick);
        _fixture.Grant("next");
    }

    [Fact]
    public void Resume_WhenTheLockDelayIsOverToo_KeepsNobodyOut()
    {
        _fixture.Grant(Ask(ttl: 10) with { LockDelay = Seconds(60) });
        _fixture.Advance(3600);
        _fixture.Reload("b");

        _fixture.Grant("next");
    }

    [Fact]
    public void Resume_WhenALockDelayIsInherited_WaitsForTheRestAndForAnothersSkew()
    {
        _fixture.Grant(Ask(ttl: 10) with { LockDelay = Seconds(60) });
        _fixture.Advance(10);
        _fixture.Tick();
        _fixture.Advance(20);
        _fixture.Reload("b");

        _fixture.Time.Advance(Seconds(40 + 1) - Tick);
        Refused<Refusal.Held>(_fixture.Acquire(Ask("next")));
        _fixture.Time.Advance(Tick);
        _fixture.Grant("next");
    }

    [Fact]
    public void Resume_WhenALockDelayWasStoredByAClockFarAhead_WaitsNoLongerThanItLasts()
    {
        _fixture.Time.StepWall(Seconds(3600));
        _fixture.Grant(Ask(ttl: 10) with { LockDelay = Seconds(30) });
        _fixture.Advance(10);
        _fixture.Tick();
        _fixture.Time.StepWall(-Seconds(3600));
        _fixture.Reload("b");

        _fixture.Time.Advance(Seconds(31) - Tick);
        Refused<Refusal.Held>(_fixture.Acquire(Ask("next")));
        _fixture.Time.Advance(Tick);
        Assert.IsType<LeaseReply.Granted>(_fixture.Acquire(Ask("next")));
    }

    [Fact]
    public void Resume_OfTwoLockDelaysAsOne_EndsWithTheLaterOneByEitherClock()
    {
        _fixture.Time.StepWall(Seconds(3600));
        _fixture.Grant(Ask(ttl: 1) with { LockDelay = Seconds(50) });
        _fixture.Advance(1);
        _fixture.Grant(Ask(ttl: 20, id: "again") with { LockDelay = Seconds(35) });
        _fixture.Time.StepWall(-Seconds(3600));
        _fixture.Reload("b");
        _fixture.Advance(21);
        _fixture.Tick();
        _fixture.Time.StepWall(Seconds(3600));
        _fixture.Reload("c");

        _fixture.Time.Advance(Seconds(51 - 22 + 1) - Tick);
        Refused<Refusal.Held>(_fixture.Acquire(Ask("next")));
        _fixture.Time.Advance(Tick);
        _fixture.Grant("next");
    }

    // Version 1 stored no length of an order.
    [Fact]
    public void Resume_OfAnOrderWithoutALength_EndsItWithinTheHorizon()
    {
        _fixture.Grant(ttl: 10);
        _fixture.Break(null, grace: 60, force: true);
        var stored = _fixture.Stored.Holders[0];
        var old = stored with { Breaking = stored.Breaking! with { Length = TimeSpan.Zero } };

        var now = _fixture.Clock.Read();
        Assert.Equal(now.Monotonic + Seconds(10), old.Resume(now, _fixture.Rules).Breaking!.Ends);
    }

    [Fact]
    public void Resume_WhenTheHolderReleases_FreesAtOnce()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Reload("b");

        _fixture.Release(token);

        Assert.Equal(token + 1, _fixture.Grant("next"));
    }

    [Fact]
    public void Renew_WhenMovedByAnotherIncarnation_StoresWhatAnyClockMayHavePromised()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(1);
        _fixture.Renew(token);
        var promised = _fixture.Stored.Holders[0].Horizon;
        _fixture.Reload("b");
        _fixture.Time.StepWall(Seconds(1));
        _fixture.Advance(19.5);

        // Barely beyond the old horizon by this clock, which is ahead: the old one must still be reached by the other.
        _fixture.Renew(token, ttl: 0.1);

        Assert.Equal("b", _fixture.Stored.Holders[0].HorizonBy);
        Assert.True(_fixture.Stored.Holders[0].Horizon >= promised + _fixture.Rules.ClockSkew);
    }

    [Fact]
    public void Claim_WhenAnotherHolderIsServed_TouchesNeitherHorizonNorWriter()
    {
        var first = _fixture.Grant(AskShared("a"));
        _fixture.Advance(1);
        _fixture.Renew(first, "a");
        var before = _fixture.Stored.Holders[0];
        _fixture.Reload("b");

        _fixture.Grant(AskShared("b"));

        Assert.Equal("b", _fixture.Stored.Claim.Incarnation);
        Assert.Equal((before.Horizon, "a"), (_fixture.Stored.Holders[0].Horizon, _fixture.Stored.Holders[0].HorizonBy));
    }

    [Fact]
    public void Acquire_WhenReplayedByAnActivationThatDidNotWriteLast_IsClaimedBeforeItIsTold()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(1);
        _fixture.Renew(token);
        _fixture.Reload("b");

        Assert.Equal(new LeaseReply.Granted(token, Replayed: true), _fixture.Acquire(Ask()));

        Assert.True(_fixture.Last.Durable);
        Assert.Equal(_fixture.Self, _fixture.Stored.Claim);
    }
}
