using OrleansLeases.Testing;
using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>Two keepers of one resource on one store: the shortest histories that once made two holders, or would.</summary>
public sealed class TwinTests
{
    private readonly KeeperFixture _a;
    private KeeperFixture _b;

    public TwinTests()
    {
        _a = new KeeperFixture(NewRules("a"));
        _b = TwinAhead(0);
    }

    [Fact]
    public void Acquire_WhenReplayedAtTheTwin_IsNotFreedByTheOther()
    {
        var token = _a.Grant().Token;
        Pass(1);
        Assert.Equal(Seconds(10), Now<LeaseRenewal>(_a.Renew(token)).Remaining);

        // The twin knows only the horizon, and tells what that leaves.
        var told = Now<LeaseGrant>(_b.Acquire(Ask())).Remaining;
        Assert.True(told > Seconds(10));
        Pass(told.TotalSeconds - 0.001);

        Now<Refusal.Held>(_a.Acquire(Ask("other")));
    }

    [Fact]
    public void Wait_WhoseCallerLeavesWhileTheTwinsGrantIsFound_IsNotProcessed()
    {
        var time = new InterruptedTime(_a.Time);
        var keeper = new LeaseKeeper(KeeperFixture.Resource, new KeeperHost(new LeaseClock(time), NewRules("a"), _a), _a.Store.For("a"));
        var request = Ask(id: "both") with { Wait = Seconds(20) };
        using var gone = new CancellationTokenSource();
        var held = _b.Grant("other").Token;
        var wait = keeper.Submit(LeaseCommand.Of(request), gone.Token)!;
        Now<LeaseRelease>(_b.Release(held, "other"));
        var token = Now<LeaseGrant>(_b.Acquire(request)).Token;
        _a.Store.Hold = true;
        var renewal = keeper.Submit(LeaseCommand.Of(new RenewRequest
        {
            Resource = KeeperFixture.Resource, Owner = "me", Token = token,
        }))!;

        // The caller is on its way out of the queue when the keeper finds the grant and takes the call up once more.
        time.OnNextRead = () => Assert.Single(_a.Store.Held).Complete();
        gone.Cancel();
        Assert.True(wait.IsCanceled);
        _a.Store.Hold = false;
        var loads = _a.Store.Loads;
        Assert.Single(_a.Store.Held).Complete();

        Now<LeaseRenewal>(renewal);
        Assert.Equal(loads, _a.Store.Loads);
        // It is held for as long as the renewal lasts, and not for longer.
        Pass(Horizon());
        Now<LeaseGrant>(_a.Acquire(Ask("third")));

        double Horizon() => _a.Info(fresh: true).Holders.Single().Remaining.TotalSeconds + 1;
    }

    [Fact]
    public async Task Watch_AtATwinThatKnowsNothingOfTheGrant_StartsWithIt()
    {
        Assert.Equal(LeaseStatus.Free, _b.Info().State);
        var token = _a.Grant().Token;

        await using var events = Now<LeaseWatch>(_b.Do(new LeaseCommand.Watch(Since: null))).GetAsyncEnumerator();

        Assert.True(await events.MoveNextAsync());
        Assert.Equal(token, Assert.Single(Assert.IsType<WatchEvent.LeaseSnapshot>(events.Current).Lease.Holders).Token);
    }

    [Fact]
    public void Acquire_WhenReplayedAfterItsReleaseAtTheTwin_IsNotRevived()
    {
        var token = _a.Grant().Token;
        Now<LeaseRelease>(_b.Release(token));
        _b.Grant("other");

        var refusal = Now<Refusal.NotHolder>(_a.Acquire(Ask()));

        Assert.Equal((NotHolderReason.Released, token + 1), (refusal.Reason, refusal.LastToken));
    }

    [Fact]
    public void Acquire_WhenReplayedAfterItsTransferAtTheTwin_IsNotRevived()
    {
        var token = _a.Grant().Token;
        Now<LeaseGrant>(_b.Do(Transfer(token)));

        Assert.Equal(NotHolderReason.Transferred, Now<Refusal.NotHolder>(_a.Acquire(Ask())).Reason);
    }

    [Fact]
    public void Transfer_WhenReplayedAfterItsReleaseAtTheTwin_IsNotRevived()
    {
        var token = Now<LeaseGrant>(_a.Do(Transfer(_a.Grant().Token))).Token;
        Now<LeaseRelease>(_b.Release(token, "you"));

        Assert.Equal(NotHolderReason.Released, Now<Refusal.NotHolder>(_a.Do(Transfer(token - 1))).Reason);
    }

    [Fact]
    public void Break_WhenReplayedAfterTheEndAtTheTwin_SaysThatItHasEnded()
    {
        var token = _a.Grant().Token;
        Assert.Equal(Seconds(60), Now<LeaseBreak>(_a.Break(token, grace: 60)).EndsIn);
        Now<LeaseRelease>(_b.Release(token));

        Assert.Equal(TimeSpan.Zero, Now<LeaseBreak>(_a.Break(token, grace: 60)).EndsIn);
    }

    // What a refusal rests on may have ended elsewhere. Only "held by others" is told from memory: whoever hears it asks again.
    [Fact]
    public void Acquire_WhereItsOwnersLeaseHasEndedAtTheTwin_IsNotToldToUseThat()
    {
        var token = _a.Grant().Token;
        Now<LeaseRelease>(_b.Release(token));

        Assert.Equal(token + 1, Now<LeaseGrant>(_a.Acquire(Ask(id: "again"))).Token);
    }

    [Fact]
    public void Acquire_WhereTheCapacityInForceHasEndedAtTheTwin_IsGranted()
    {
        var token = Now<LeaseGrant>(_a.Acquire(AskShared("me", capacity: 2))).Token;
        Now<LeaseRelease>(_b.Release(token));

        Assert.Equal(token + 1, Now<LeaseGrant>(_a.Acquire(AskShared("you", capacity: 3))).Token);
    }

    [Fact]
    public void Acquire_WhereTheResourceWasFullBeforeAReleaseAtTheTwin_IsGranted()
    {
        var rules = NewRules("c");
        var c = new KeeperFixture(rules with { Limits = rules.Limits with { MaxHolders = 1 } }, _a.Store);
        var token = Now<LeaseGrant>(c.Acquire(AskShared("me"))).Token;
        Now<LeaseRelease>(_b.Release(token));

        Assert.Equal(token + 1, Now<LeaseGrant>(c.Acquire(AskShared("you"))).Token);
    }

    [Fact]
    public void Transfer_OfALeaseThatWasBrokenButHasEndedAtTheTwin_SaysThatItHasEnded()
    {
        var token = _a.Grant().Token;
        Now<LeaseBreak>(_a.Break(token, grace: 60));
        Now<LeaseRelease>(_b.Release(token));

        Assert.Equal(NotHolderReason.Released, Now<Refusal.NotHolder>(_a.Do(Transfer(token))).Reason);
    }

    [Fact]
    public void Transfer_ToAnOwnerWhoseLeaseHasEndedAtTheTwin_IsGranted()
    {
        var mine = Now<LeaseGrant>(_a.Acquire(AskShared("me"))).Token;
        var yours = Now<LeaseGrant>(_a.Acquire(AskShared("you"))).Token;
        Now<LeaseRelease>(_b.Release(yours, "you"));

        Assert.Equal(yours + 1, Now<LeaseGrant>(_a.Do(Transfer(mine))).Token);
    }

    [Fact]
    public void Break_WithoutATokenWhereAllButOneHaveEndedAtTheTwin_IsOfThatOne()
    {
        var mine = Now<LeaseGrant>(_a.Acquire(AskShared("me"))).Token;
        var yours = Now<LeaseGrant>(_a.Acquire(AskShared("you"))).Token;
        Now<LeaseRelease>(_b.Release(yours, "you"));

        Assert.Equal(mine, Now<LeaseBreak>(_a.Break(null, grace: 60)).Token);
    }

    [Fact]
    public void Attach_WhereTheTwinHasMadeRoom_IsNoted()
    {
        var rules = NewRules("c");
        var c = new KeeperFixture(rules with { Limits = rules.Limits with { MaxKeys = 1 } }, _a.Store);
        var lease = new KeyLease { Resource = KeeperFixture.Resource, Owner = "me", Token = c.Grant().Token };
        Now<LeaseReply.Acknowledged>(c.Do(new LeaseCommand.Attach(lease, "one", Since: 1)));
        Now<LeaseReply.Acknowledged>(_b.Do(new LeaseCommand.Detach(lease.Token, "one", Generation: 2)));

        Now<LeaseReply.Acknowledged>(c.Do(new LeaseCommand.Attach(lease, "two", Since: 1)));
    }

    [Fact]
    public void Renew_WhoseSaveOutlastsTheTtlWithinAnInheritedFloor_IsRenewedAgain()
    {
        var token = _a.Grant().Token;
        _b.Info();
        _a.AlarmsRing = false;
        Pass(10.2);
        _a.Store.OnSave(call =>
        {
            _b.Time.Advance(Seconds(0.6));
            return call.Write();
        });

        // The place is kept until 11 s, so the lease is not over at 10.8; nor is nothing told to be left.
        Assert.Equal(Seconds(0.5), Now<LeaseRenewal>(_b.Renew(token, ttl: 0.5)).Remaining);
    }

    [Fact]
    public void Break_WhereAnInheritedFloorKeepsThePlace_SaysNoEndBeforeThat()
    {
        var token = _a.Grant().Token;
        Assert.Equal(Seconds(10), Now<LeaseBreak>(_a.Break(token, grace: 0)).EndsIn);
        _b.Info();

        // It has ended by now, as far as the order goes; the other keeper's clock may be behind, and the keys are there yet.
        _a.AlarmsRing = false;
        Pass(10.5);
        Assert.Equal(Seconds(0.5), Now<LeaseBreak>(_b.Break(token, grace: 0)).EndsIn);
        Assert.Equal(Seconds(0.5), Now<LeaseRenewal>(_b.Renew(token)).Breaking?.EndsIn);
        Assert.Single(_b.Info(fresh: true).Holders);
    }

    // It asks no store: whoever gave the lease up elsewhere knows that it did, and nobody else has the place by then.
    [Fact]
    public void Renew_AfterTheReleaseAtTheTwin_TellsNoMoreThanTheHorizonAndThenTheTruth()
    {
        var token = _a.Grant().Token;
        Pass(1);
        Now<LeaseRenewal>(_a.Renew(token));
        Now<LeaseRelease>(_b.Release(token));

        Pass(9);
        Assert.Equal(Seconds(10), Now<LeaseRenewal>(_a.Renew(token)).Remaining);
        Pass(5);
        Assert.Equal(NotHolderReason.Released, Now<Refusal.NotHolder>(_a.Renew(token)).Reason);
    }

    // A horizon that was stored while the wall clock was ahead: the twin waits for its span and no longer.
    [Fact]
    public void Renew_AfterTheWallClockWasAheadForAMoment_IsNotOutlivedByTheTwinsWait()
    {
        var token = _a.Grant().Token;
        Pass(1);
        _a.Time.StepWall(Seconds(60));
        Now<LeaseRenewal>(_a.Renew(token));
        _a.Time.StepWall(-Seconds(60));
        _b.Info();
        for (var i = 0; i < 4; i++)
        {
            Pass(4.5);
            Now<LeaseRenewal>(_a.Renew(token));
        }

        var told = Now<LeaseRenewal>(_a.Renew(token)).Remaining;
        Assert.Equal(Seconds(10), told);
        Pass(told.TotalSeconds - 0.001);

        Now<Refusal.Held>(_b.Acquire(Ask("other")));
    }

    [Fact]
    public void Renew_WhenTheTwinsClockIsBehind_TheWriterOfTheHorizonWaitsForIt()
    {
        _b = TwinAhead(-1);
        var token = _a.Grant().Token;
        Pass(1);
        Now<LeaseRenewal>(_a.Renew(token));
        Pass(1);
        var told = Now<LeaseRenewal>(_b.Renew(token)).Remaining;
        _a.Info(fresh: true);

        Pass(told.TotalSeconds - 0.001);

        Now<Refusal.Held>(_a.Acquire(Ask("other")));
    }

    [Fact]
    public void Renew_WhenTheTwinsClockIsAhead_TheTwinWaitsForWhatTheOtherTold()
    {
        _b = TwinAhead(+1);
        var token = _a.Grant().Token;
        Pass(9.9);
        Now<LeaseRenewal>(_a.Renew(token));
        Pass(9.9);
        Assert.Equal(Seconds(10), Now<LeaseRenewal>(_a.Renew(token)).Remaining);
        Pass(9.2);
        // Barely beyond the horizon by its own clock, and then it forgets who wrote the old one.
        Now<LeaseRenewal>(_b.Renew(token, ttl: 0.1));
        _b.Forget();
        _b.Info();

        Pass(10 - 9.2 - 0.001);

        Now<Refusal.Held>(_b.Acquire(Ask("other")));
    }

    [Fact]
    public void Renew_WhenTwinsTakeTurns_PromiseDoesNotGrow()
    {
        var token = _a.Grant(ttl: 3).Token;
        var told = TimeSpan.Zero;
        for (var i = 0; i < 120; i++)
        {
            Pass(0.5);
            told = Now<LeaseRenewal>((i % 2 == 0 ? _b : _a).Renew(token)).Remaining;
            _a.Info(fresh: true);
            _b.Info(fresh: true);
        }

        Assert.InRange(told, Seconds(3), Seconds(3 + 3 + 2));
    }

    [Fact]
    public void Renew_WhenEveryRenewalIsStoredAndTheTwinsClockIsBehind_TellsTheWholeTtl()
    {
        var a = new KeeperFixture(NewRules("a") with { RenewalFactor = 1 }, _a.Store);
        var b = new KeeperFixture(
            NewRules("b") with { RenewalFactor = 1 }, _a.Store, new ManualTimeProvider(ManualTimeProvider.DefaultStart.AddSeconds(-0.8)));
        var token = a.Grant(ttl: 0.5).Token;
        a.Advance(0.3);
        b.Advance(0.3);

        Assert.Equal(Seconds(0.5), Now<LeaseRenewal>(b.Renew(token)).Remaining);
    }

    [Fact]
    public void Renew_WhenTheTwinHasLoaded_GoesOnInMemoryUpToTheHorizonAndNoFurther()
    {
        var token = _a.Grant().Token;
        Pass(1);
        Now<LeaseRenewal>(_a.Renew(token));
        _b.Info();
        Pass(9);
        var saves = _a.Store.Saves;

        Assert.Equal(Seconds(10), Now<LeaseRenewal>(_a.Renew(token)).Remaining);
        Assert.Equal(saves, _a.Store.Saves);

        // Frozen from here on. The other waits for the horizon at 21 s and for the skew.
        _a.AlarmsRing = false;
        Pass(11.999);
        Now<Refusal.Held>(_b.Acquire(Ask("other", id: "early")));
        Pass(0.001);
        Assert.Equal(token + 1, _b.Grant("other").Token);
        Now<Refusal.NotHolder>(_a.Renew(token));
    }

    [Fact]
    public void Renew_WhenOnlyTheTwinKnowsTheToken_LooksAtTheStoreFirst()
    {
        _a.Release(_a.Grant("first").Token, "first");
        var token = _b.Grant().Token;

        Assert.Equal(token, Now<LeaseRenewal>(_a.Renew(token)).Token);
    }

    [Fact]
    public void Break_WhenOnlyTheTwinKnowsOfAHolder_LooksAtTheStoreFirst()
    {
        _a.Release(_a.Grant("first").Token, "first");
        var token = _b.Grant().Token;

        Assert.Equal(token, Now<LeaseBreak>(_a.Break(null, grace: 0)).Token);
    }

    [Fact]
    public void Release_WhenUndeliveredButToldByTheTwin_IsDropped()
    {
        var token = _a.Grant().Token;
        Now<LeaseGrant>(_b.Acquire(Ask()));

        Assert.True(Now<LeaseRelease>(_a.Release(token, undelivered: true)).Replayed);

        Now<Refusal.Held>(_a.Acquire(Ask("other")));
    }

    [Fact]
    public void Acquire_WhenOneRequestWaitsAtBothTwins_IsGrantedOnce()
    {
        var first = _a.Grant("first").Token;
        var request = Ask() with { Wait = Seconds(20) };
        var atA = _a.Acquire(request);
        var atB = _b.Acquire(request);
        Now<LeaseRelease>(_b.Release(first, "first"));
        var token = Now<LeaseGrant>(atB).Token;
        Now<LeaseRelease>(_b.Release(token));

        _a.Info(fresh: true);
        Pass(11);

        Assert.Equal(token, _a.Stored.LastToken);
        Assert.Equal(NotHolderReason.Released, Now<Refusal.NotHolder>(atA).Reason);
    }

    [Fact]
    public void Acquire_WhenBothTwinsWriteTheFirstRecord_OneIsHeld()
    {
        _a.Info();
        _b.Info();
        var token = _a.Grant("one").Token;

        Assert.Equal("one", Assert.Single(Now<Refusal.Held>(_b.Acquire(Ask("two"))).Holders).Owner);
        Assert.Equal(token, _b.Stored.LastToken);
    }

    [Fact]
    public void Get_WhenFresh_SeesWhatTheTwinWrote()
    {
        _b.Info();
        _a.Grant();

        Assert.Equal(LeaseStatus.Free, _b.Info().State);
        Assert.Equal(LeaseStatus.Held, _b.Info(fresh: true).State);
    }

    private KeeperFixture TwinAhead(double seconds) =>
        new(NewRules("b"), _a.Store, new ManualTimeProvider(ManualTimeProvider.DefaultStart.AddSeconds(seconds)));

    private void Pass(double seconds)
    {
        _a.Advance(seconds);
        _b.Advance(seconds);
    }

    private static LeaseCommand<LeaseGrant> Transfer(long token) =>
        LeaseCommand.Of(
            new TransferRequest
            {
                Resource = KeeperFixture.Resource, Owner = "me", Token = token, NewOwner = "you", RequestId = "transfer",
            });

    /// <summary>A clock of which a test interrupts one reading.</summary>
    private sealed class InterruptedTime(TimeProvider time) : TimeProvider
    {
        public Action? OnNextRead { get; set; }

        public override long TimestampFrequency => time.TimestampFrequency;

        public override long GetTimestamp()
        {
            var interruption = OnNextRead;
            OnNextRead = null;
            interruption?.Invoke();
            return time.GetTimestamp();
        }

        public override DateTimeOffset GetUtcNow() => time.GetUtcNow();
    }
}
