using static OrleansLeases.Core.Tests.KeeperBench;
using static OrleansLeases.Core.Tests.MachineBench;

namespace OrleansLeases.Core.Tests;

/// <summary>What an answer lets its caller believe, and how a keeper leaves memory.</summary>
public sealed class AnswerTests
{
    private readonly KeeperBench _bench = new();

    [Fact]
    public void Grant_WhenHeldAndRemainingAreAdded_IsTheDeadlineToTheTick()
    {
        _bench.Time.Advance(TimeSpan.FromTicks(123));
        var received = _bench.Time.Elapsed;
        _bench.Store.OnSave(Slowly(TimeSpan.FromTicks(4_567)));

        var grant = _bench.Grant(ttl: 10);

        var deadline = received + grant.Elapsed + grant.Remaining;
        Assert.Equal(received + Seconds(10), deadline);
        _bench.Advance(grant.Remaining - TimeSpan.FromTicks(1));
        Now<Refusal.Held>(_bench.Acquire(Ask("early")));
        _bench.Advance(TimeSpan.FromTicks(1));
        Now<LeaseGrant>(_bench.Acquire(Ask("next")));
    }

    [Fact]
    public void Renewal_WhenTheWriteIsSlow_CountsFromBeforeIt()
    {
        var token = _bench.Grant(ttl: 10).Token;
        _bench.Advance(1);
        _bench.Store.OnSave(Slowly(Seconds(4)));

        var renewal = Now<LeaseRenewal>(_bench.Renew(token));

        Assert.Equal((Seconds(4), Seconds(6)), (renewal.Elapsed, renewal.Remaining));
        Assert.Equal(Seconds(2), renewal.RenewAfter);
    }

    [Fact]
    public void Grant_WhenReplayed_TellsWhatIsLeftNow()
    {
        _bench.Grant(ttl: 10);
        _bench.Advance(7);

        var again = _bench.Grant(ttl: 10);

        Assert.Equal((1, true, Seconds(3), TimeSpan.Zero), (again.Token, again.Replayed, again.Remaining, again.Elapsed));
        Assert.Equal(1, _bench.Stored.Log.Last);
        Assert.Equal(1, _bench.Store.Saves);
    }

    [Fact]
    public void Renewal_WhenBreaking_SaysWhenAndWhy()
    {
        var token = _bench.Grant(ttl: 10).Token;
        Assert.Equal(Seconds(15), Now<LeaseBreak>(_bench.Break(token, grace: 15)).EndsIn);
        _bench.Advance(8);

        var renewal = Now<LeaseRenewal>(_bench.Renew(token));

        Assert.Equal((Seconds(7), "upkeep"), (renewal.Breaking?.EndsIn, renewal.Breaking?.Reason));
        Assert.Equal(Seconds(7), renewal.Remaining);
    }

    [Fact]
    public void Break_WhoseSaveOutlastsTheNotice_IsAnsweredOnceTheEndIsStored()
    {
        var token = _bench.Grant(ttl: 10).Token;
        _bench.AlarmsRing = false;
        _bench.Store.Hold = true;
        var order = _bench.Break(token, grace: 1, force: true);
        _bench.Advance(2);
        _bench.Store.Held[0].Complete();

        Assert.False(order.IsCompleted);
        Assert.Single(_bench.Stored.Holders);
        _bench.Store.Held[0].Complete();

        Assert.Equal(TimeSpan.Zero, Now<LeaseBreak>(order).EndsIn);
        Assert.Empty(_bench.Stored.Holders);
    }

    [Fact]
    public void Renewal_WhoseSaveOutlastsTheLease_IsAnsweredWithItsEndOnceThatIsStored()
    {
        var token = _bench.Grant(ttl: 10).Token;
        _bench.AlarmsRing = false;
        _bench.Store.Hold = true;
        var renewal = _bench.Renew(token, ttl: 3);
        _bench.Advance(10);
        _bench.Store.Held[0].Complete();

        Assert.False(renewal.IsCompleted);
        _bench.Store.Held[0].Complete();

        Assert.Equal(NotHolderReason.Expired, Now<Refusal.NotHolder>(renewal).Reason);
        Assert.Empty(_bench.Stored.Holders);
    }

    [Fact]
    public void Break_WhoseEndIsNotStored_IsNotToldAsUndone()
    {
        var token = _bench.Grant(ttl: 10).Token;
        _bench.AlarmsRing = false;
        _bench.Store.Hold = true;
        var order = _bench.Break(token, grace: 1, force: true);
        _bench.Advance(2);
        _bench.Store.OnSave(_ => SaveOutcome.NotSaved);
        _bench.Store.Held[0].Complete();
        _bench.Store.Held[0].Complete();

        Now<Refusal.OutcomeUnknown>(order);
    }

    [Fact]
    public void Break_WhoseEndCannotBeLookedUp_IsNotToldAsUndone()
    {
        var token = _bench.Grant(ttl: 10).Token;
        _bench.AlarmsRing = false;
        _bench.Store.Hold = true;
        var order = _bench.Break(token, grace: 1, force: true);
        _bench.Advance(2);
        _bench.Store.OnSave(_ => SaveOutcome.Conflict);
        _bench.Store.OnLoad(_ => throw new IOException());
        _bench.Store.Held[0].Complete();
        _bench.Store.Held[0].Complete();
        _bench.Store.Held[0].Complete();

        Now<Refusal.OutcomeUnknown>(order);
    }

    [Fact]
    public void Get_WhenALeaseEndsWhileAnothersEndIsStored_ShowsNeither()
    {
        var answer = AskWhileTheFirstOfTwoEndsSlowly(() => _bench.Keeper.Submit(new LeaseCommand.Get(Fresh: false))!);

        Assert.Equal(LeaseStatus.Free, Now<LeaseInfo>(answer).State);
    }

    [Fact]
    public void WhoHolds_WhenALeaseEndsWhileAnothersEndIsStored_TellsNeither()
    {
        var answer = AskWhileTheFirstOfTwoEndsSlowly(() => _bench.Do(LeaseCommand.GetActiveTokens.Instance));

        Assert.Empty(Now<LeaseReply.ActiveTokens>(answer).InForce);
    }

    [Fact]
    public void Acquire_WhenALeaseEndsWhileAnothersEndIsStored_IsGranted()
    {
        var answer = AskWhileTheFirstOfTwoEndsSlowly(() => _bench.Acquire(Ask("next")));

        Assert.False(Now<LeaseGrant>(answer).Replayed);
    }

    [Fact]
    public void Expiry_WhenNobodyAsks_IsRecordedAtItsDeadline()
    {
        _bench.Grant(ttl: 10);

        _bench.Advance(Seconds(10) - TimeSpan.FromTicks(1));
        Assert.Single(_bench.Stored.Holders);
        _bench.Advance(TimeSpan.FromTicks(1));

        Assert.Empty(_bench.Stored.Holders);
        var ended = Now<LeaseHistory>(_bench.Keeper.Submit(LeaseCommand.GetHistory.Instance)!).Events[^1];
        Assert.Equal((2, LeaseEventKind.Expired, 1), (ended.Sequence, ended.Kind, ended.Token));
        Assert.Equal(_bench.Time.GetUtcNow(), ended.At);
    }

    [Fact]
    public void Get_WhenNeverUsed_IsFreeWithTokenZero()
    {
        var info = _bench.Info();

        Assert.Equal((LeaseStatus.Free, 0, 0, 0), (info.State, info.LastToken, info.Waiters, info.Sequence));
        Assert.Equal(0, _bench.Store.Saves);
    }

    [Fact]
    public void Ring_WhenHeldDelayedOrWaitedFor_DoesNotRetire()
    {
        var bench = new KeeperBench(idleAfter: Seconds(60));
        var token = Now<LeaseGrant>(bench.Acquire(Ask(ttl: 100) with { LockDelay = Seconds(200) })).Token;
        bench.Advance(99);
        Assert.False(bench.Keeper.OnAlarm(bench.Time.Elapsed));

        // Expired at 100 s, delayed until 300 s, idle until 360 s.
        bench.AlarmsRing = false;
        bench.Advance(1);
        bench.Info();
        bench.Advance(259.999);
        Assert.False(bench.Keeper.OnAlarm(bench.Time.Elapsed));
        bench.Advance(0.001);
        Assert.True(bench.Keeper.OnAlarm(bench.Time.Elapsed));
        Assert.Null(bench.Keeper.Submit(LeaseCommand.Of(new RenewRequest { Resource = MachineBench.Resource, Owner = "me", Token = token })));
    }

    private Task AskWhileTheFirstOfTwoEndsSlowly(Func<Task> ask)
    {
        Now<LeaseGrant>(_bench.Acquire(AskShared("first", ttl: 10)));
        Now<LeaseGrant>(_bench.Acquire(AskShared("second", ttl: 12)));
        _bench.AlarmsRing = false;
        _bench.Advance(10);
        _bench.Store.Hold = true;
        var answer = ask();
        if (_bench.Store.Held[0] is ScriptedStore.LoadCall load) load.Complete();
        _bench.Advance(2);
        _bench.Store.Held[0].Complete();

        // The second end is stored before anything is told that rests on it.
        Assert.False(answer.IsCompleted);
        _bench.Store.Held[0].Complete();
        Assert.DoesNotContain(_bench.Stored.Holders, holder => holder.Owner is "first" or "second");
        return answer;
    }

    private Func<ScriptedStore.SaveCall, SaveOutcome> Slowly(TimeSpan time) => call =>
    {
        _bench.Time.Advance(time);
        return call.Write();
    };
}
