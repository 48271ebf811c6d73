using static OrleansLeases.Core.Tests.MachineBench;

namespace OrleansLeases.Core.Tests;

/// <summary>What a record just loaded still owes to what may have been told before.</summary>
public sealed class ResumeTests
{
    private static readonly TimeSpan Tick = TimeSpan.FromTicks(1);
    private readonly MachineBench _bench = new();

    [Theory]
    [InlineData("a", 0)]
    [InlineData("b", 1)]
    public void Resume_WhenAnIncarnationInherits_WaitsForTheHorizonAndForAnothersSkew(string incarnation, double skew)
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(1);
        _bench.Renew(token);
        _bench.Reload(incarnation);

        _bench.Time.Advance(Seconds(20 + skew) - Tick);
        Assert.Single(Refused<Refusal.Held>(_bench.Acquire(Ask("next"))).Holders);
        _bench.Time.Advance(Tick);
        Assert.Equal(2, _bench.Grant("next"));
    }

    [Fact]
    public void Resume_WhenTtlWasShortened_StillHonoursTheLongerPromise()
    {
        var token = _bench.Grant(ttl: 100);
        _bench.Renew(token, ttl: 1);
        _bench.Reload();

        _bench.Time.Advance(Seconds(100) - Tick);
        _bench.Tick();

        Assert.Single(_bench.State.Holders);
    }

    [Fact]
    public void Resume_WhenTtlHasFractionsOfAMillisecond_HonoursThem()
    {
        var bench = new MachineBench(NewRules() with { RenewalFactor = 1 });
        bench.Grant(Ask() with { Ttl = TimeSpan.FromTicks(1_009_999) });
        bench.Reload();

        bench.Time.Advance(TimeSpan.FromTicks(1_009_998));
        bench.Tick();

        Assert.Single(bench.State.Holders);
    }

    [Fact]
    public void Resume_WhenReaderHasASmallerRenewalFactor_HonoursTheWritersHorizon()
    {
        _bench.Rules = _bench.Rules with { RenewalFactor = 3 };
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(1);
        _bench.Renew(token);
        _bench.Rules = _bench.Rules with { RenewalFactor = 1 };
        _bench.Reload("b");

        _bench.Advance(29);
        _bench.Tick();

        Assert.Single(_bench.State.Holders);
    }

    [Fact]
    public void Resume_WhenTheWriterClockWasFarAhead_WaitsNoLongerThanWasEverPromised()
    {
        _bench.Time.StepWall(Seconds(3600));
        _bench.Grant(ttl: 10);
        _bench.Time.StepWall(-Seconds(3600));
        _bench.Reload("b");

        _bench.Advance(11.001);

        Assert.Equal(2, _bench.Grant("next"));
    }

    [Fact]
    public void Resume_WhenTheMachineSlept_WaitsMonotonically()
    {
        _bench.Grant(ttl: 10);
        _bench.Time.Suspend(Seconds(5));
        _bench.Reload();

        // Asleep is not surely past: the wall clock may have been stepped.
        _bench.Time.Advance(Seconds(10) - Tick);
        _bench.Tick();
        Assert.Single(_bench.State.Holders);
    }

    [Fact]
    public void Resume_WhenTheHolderShowsItsTokenAfterTheHorizonButBeforeTheFloor_ItResumes()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Reload("b");
        _bench.Advance(10.5);

        Assert.IsType<LeaseReply.Renewed>(_bench.Renew(token));
        Assert.Equal(Seconds(10), _bench.Told(token));
    }

    [Theory]
    [InlineData("a", 0)]
    [InlineData("b", 1)]
    public void Resume_WhenTheLeaseRanOutWhileNobodyLooked_ItsLockDelayBeganThen(string incarnation, double skew)
    {
        _bench.Grant(Ask(ttl: 10) with { LockDelay = Seconds(60) });
        var ran = _bench.Clock.Read().Latest + Seconds(10 + skew);
        _bench.Advance(40);
        _bench.Reload(incarnation);

        Assert.Equal(Seconds(30 + skew), Refused<Refusal.Held>(_bench.Acquire(Ask("next"))).RetryAfter);
        Assert.Equal((LeaseEventKind.Expired, ran), (_bench.Stored.Log.NewestFirst().First().Kind, _bench.Stored.Log.NewestFirst().First().At));
        _bench.Time.Advance(Seconds(30 + skew) - Tick);
        Refused<Refusal.Held>(_bench.Acquire(Ask("next")));
        _bench.Time.Advance(Tick);
        _bench.Grant("next");
    }

    [Fact]
    public void Resume_WhenTheLockDelayIsOverToo_KeepsNobodyOut()
    {
        _bench.Grant(Ask(ttl: 10) with { LockDelay = Seconds(60) });
        _bench.Advance(3600);
        _bench.Reload("b");

        _bench.Grant("next");
    }

    [Fact]
    public void Resume_WhenALockDelayIsInherited_WaitsForTheRestAndForAnothersSkew()
    {
        _bench.Grant(Ask(ttl: 10) with { LockDelay = Seconds(60) });
        _bench.Advance(10);
        _bench.Tick();
        _bench.Advance(20);
        _bench.Reload("b");

        _bench.Time.Advance(Seconds(40 + 1) - Tick);
        Refused<Refusal.Held>(_bench.Acquire(Ask("next")));
        _bench.Time.Advance(Tick);
        _bench.Grant("next");
    }

    [Fact]
    public void Resume_WhenTheHolderReleases_FreesAtOnce()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Reload("b");

        _bench.Release(token);

        Assert.Equal(token + 1, _bench.Grant("next"));
    }

    [Fact]
    public void Renew_WhenMovedByAnotherIncarnation_StoresWhatAnyClockMayHavePromised()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(1);
        _bench.Renew(token);
        var promised = _bench.Stored.Holders[0].Horizon;
        _bench.Reload("b");
        _bench.Time.StepWall(Seconds(1));
        _bench.Advance(19.5);

        // Barely beyond the old horizon by this clock, which is ahead: the old one must still be reached by the other.
        _bench.Renew(token, ttl: 0.1);

        Assert.Equal("b", _bench.Stored.Holders[0].HorizonBy);
        Assert.True(_bench.Stored.Holders[0].Horizon >= promised + _bench.Rules.ClockSkew);
    }

    [Fact]
    public void Claim_WhenAnotherHolderIsServed_TouchesNeitherHorizonNorWriter()
    {
        var first = _bench.Grant(AskShared("a"));
        _bench.Advance(1);
        _bench.Renew(first, "a");
        var before = _bench.Stored.Holders[0];
        _bench.Reload("b");

        _bench.Grant(AskShared("b"));

        Assert.Equal("b", _bench.Stored.Claim.Incarnation);
        Assert.Equal((before.Horizon, "a"), (_bench.Stored.Holders[0].Horizon, _bench.Stored.Holders[0].HorizonBy));
    }

    [Fact]
    public void Acquire_WhenReplayedByAnActivationThatDidNotWriteLast_IsClaimedBeforeItIsTold()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(1);
        _bench.Renew(token);
        _bench.Reload("b");

        Assert.Equal(new LeaseReply.Granted(token, Replayed: true), _bench.Acquire(Ask()));

        Assert.True(_bench.Last.Durable);
        Assert.Equal(_bench.Self, _bench.Stored.Claim);
    }
}
