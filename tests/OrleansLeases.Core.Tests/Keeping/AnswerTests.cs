using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>What an answer lets its caller believe, and how a keeper leaves memory.</summary>
public sealed class AnswerTests
{
    private readonly KeeperFixture _fixture = new();

    [Fact]
    public void Grant_WhenHeldAndRemainingAreAdded_IsTheDeadlineToTheTick()
    {
        _fixture.Time.Advance(TimeSpan.FromTicks(123));
        var received = _fixture.Time.Elapsed;
        _fixture.Store.OnSave(Slowly(TimeSpan.FromTicks(4_567)));

        var grant = _fixture.Grant(ttl: 10);

        var deadline = received + grant.Elapsed + grant.Remaining;
        Assert.Equal(received + Seconds(10), deadline);
        _fixture.Advance(grant.Remaining - TimeSpan.FromTicks(1));
        Now<Refusal.Held>(_fixture.Acquire(Ask("early")));
        _fixture.Advance(TimeSpan.FromTicks(1));
        Now<LeaseGrant>(_fixture.Acquire(Ask("next")));
    }

    [Fact]
    public void Renewal_WhenTheWriteIsSlow_CountsFromBeforeIt()
    {
        var token = _fixture.Grant(ttl: 10).Token;
        _fixture.Advance(1);
        _fixture.Store.OnSave(Slowly(Seconds(4)));

        var renewal = Now<LeaseRenewal>(_fixture.Renew(token));

        Assert.Equal((Seconds(4), Seconds(6)), (renewal.Elapsed, renewal.Remaining));
        Assert.Equal(Seconds(2), renewal.RenewAfter);
    }

    [Fact]
    public void Grant_WhenReplayed_TellsWhatIsLeftNow()
    {
        _fixture.Grant(ttl: 10);
        _fixture.Advance(7);

        var again = _fixture.Grant(ttl: 10);

        Assert.Equal((1, true, Seconds(3), TimeSpan.Zero), (again.Token, again.Replayed, again.Remaining, again.Elapsed));
        Assert.Equal(1, _fixture.Stored.Log.Last);
        Assert.Equal(1, _fixture.Store.Saves);
    }

    [Fact]
    public void Renewal_WhenBreaking_SaysWhenAndWhy()
    {
        var token = _fixture.Grant(ttl: 10).Token;
        Assert.Equal(Seconds(15), Now<LeaseBreak>(_fixture.Break(token, grace: 15)).EndsIn);
        _fixture.Advance(8);

        var renewal = Now<LeaseRenewal>(_fixture.Renew(token));

        Assert.Equal((Seconds(7), "upkeep"), (renewal.Breaking?.EndsIn, renewal.Breaking?.Reason));
        Assert.Equal(Seconds(7), renewal.Remaining);
    }

    [Fact]
    public void Break_WhoseSaveOutlastsTheNotice_IsAnsweredOnceTheEndIsStored()
    {
        var token = _fixture.Grant(ttl: 10).Token;
        _fixture.AlarmsRing = false;
        _fixture.Store.Hold = true;
        var order = _fixture.Break(token, grace: 1, force: true);
        _fixture.Advance(2);
        _fixture.Store.Held[0].Complete();

        Assert.False(order.IsCompleted);
        Assert.Single(_fixture.Stored.Holders);
        _fixture.Store.Held[0].Complete();

        Assert.Equal(TimeSpan.Zero, Now<LeaseBreak>(order).EndsIn);
        Assert.Empty(_fixture.Stored.Holders);
    }

    [Fact]
    public void Renewal_WhoseSaveOutlastsTheLease_IsAnsweredWithItsEndOnceThatIsStored()
    {
        var token = _fixture.Grant(ttl: 10).Token;
        _fixture.AlarmsRing = false;
        _fixture.Store.Hold = true;
        var renewal = _fixture.Renew(token, ttl: 3);
        _fixture.Advance(10);
        _fixture.Store.Held[0].Complete();

        Assert.False(renewal.IsCompleted);
        _fixture.Store.Held[0].Complete();

        Assert.Equal(NotHolderReason.Expired, Now<Refusal.NotHolder>(renewal).Reason);
        Assert.Empty(_fixture.Stored.Holders);
    }

    [Fact]
    public void Break_WhoseEndIsNotStored_IsNotToldAsUndone()
    {
        var token = _fixture.Grant(ttl: 10).Token;
        _fixture.AlarmsRing = false;
        _fixture.Store.Hold = true;
        var order = _fixture.Break(token, grace: 1, force: true);
        _fixture.Advance(2);
        _fixture.Store.OnSave(_ => SaveOutcome.NotSaved);
        _fixture.Store.Held[0].Complete();
        _fixture.Store.Held[0].Complete();

        Now<Refusal.OutcomeUnknown>(order);
    }

    [Fact]
    public void Break_WhoseEndCannotBeLookedUp_IsNotToldAsUndone()
    {
        var token = _fixture.Grant(ttl: 10).Token;
        _fixture.AlarmsRing = false;
        _fixture.Store.Hold = true;
        var order = _fixture.Break(token, grace: 1, force: true);
        _fixture.Advance(2);
        _fixture.Store.OnSave(_ => SaveOutcome.Conflict);
        _fixture.Store.OnLoad(_ => throw new IOException());
        _fixture.Store.Held[0].Complete();
        _fixture.Store.Held[0].Complete();
        _fixture.Store.Held[0].Complete();

        Now<Refusal.OutcomeUnknown>(order);
    }

    [Fact]
    public void Get_WhenALeaseEndsWhileAnothersEndIsStored_ShowsNeither()
    {
        var answer = AskWhileTheFirstOfTwoEndsSlowly(() => _fixture.Keeper.Submit(new LeaseCommand.Get(Fresh: false))!);

        Assert.Equal(LeaseStatus.Free, Now<LeaseInfo>(answer).State);
    }

    [Fact]
    public void GetActiveTokens_WhenALeaseEndsWhileAnothersEndIsStored_TellsNeither()
    {
        var answer = AskWhileTheFirstOfTwoEndsSlowly(() => _fixture.Do(LeaseCommand.GetActiveTokens.Instance));

        Assert.Empty(Now<LeaseReply.ActiveTokens>(answer).InForce);
    }

    [Fact]
    public void Acquire_WhenALeaseEndsWhileAnothersEndIsStored_IsGranted()
    {
        var answer = AskWhileTheFirstOfTwoEndsSlowly(() => _fixture.Acquire(Ask("next")));

        Assert.False(Now<LeaseGrant>(answer).Replayed);
    }

    [Fact]
    public void Expiry_WhenNobodyAsks_IsRecordedAtItsDeadline()
    {
        _fixture.Grant(ttl: 10);

        _fixture.Advance(Seconds(10) - TimeSpan.FromTicks(1));
        Assert.Single(_fixture.Stored.Holders);
        _fixture.Advance(TimeSpan.FromTicks(1));

        Assert.Empty(_fixture.Stored.Holders);
        var ended = Now<LeaseHistory>(_fixture.Keeper.Submit(LeaseCommand.GetHistory.Instance)!).Events[^1];
        Assert.Equal((2, LeaseEventKind.Expired, 1), (ended.Sequence, ended.Kind, ended.Token));
        Assert.Equal(_fixture.Time.GetUtcNow(), ended.At);
    }

    [Fact]
    public void Get_WhenNeverUsed_IsFreeWithTokenZero()
    {
        var info = _fixture.Info();

        Assert.Equal((LeaseStatus.Free, 0, 0, 0), (info.State, info.LastToken, info.Waiters, info.Sequence));
        Assert.Equal(0, _fixture.Store.Saves);
    }

    [Fact]
    public void Ring_WhenHeldDelayedOrWaitedFor_DoesNotRetire()
    {
        var fixture = new KeeperFixture(idleAfter: Seconds(60));
        var token = Now<LeaseGrant>(fixture.Acquire(Ask(ttl: 100) with { LockDelay = Seconds(200) })).Token;
        fixture.Advance(99);
        Assert.False(fixture.Keeper.OnAlarm(fixture.Time.Elapsed));

        // Expired at 100 s, delayed until 300 s, idle until 360 s.
        fixture.AlarmsRing = false;
        fixture.Advance(1);
        fixture.Info();
        fixture.Advance(259.999);
        Assert.False(fixture.Keeper.OnAlarm(fixture.Time.Elapsed));
        fixture.Advance(0.001);
        Assert.True(fixture.Keeper.OnAlarm(fixture.Time.Elapsed));
        Assert.Null(
            fixture.Keeper.Submit(LeaseCommand.Of(new RenewRequest { Resource = MachineFixture.Resource, Owner = "me", Token = token })));
    }

    private Task AskWhileTheFirstOfTwoEndsSlowly(Func<Task> ask)
    {
        Now<LeaseGrant>(_fixture.Acquire(AskShared("first", ttl: 10)));
        Now<LeaseGrant>(_fixture.Acquire(AskShared("second", ttl: 12)));
        _fixture.AlarmsRing = false;
        _fixture.Advance(10);
        _fixture.Store.Hold = true;
        var answer = ask();
        if (_fixture.Store.Held[0] is ScriptedStore.LoadCall load) load.Complete();
        _fixture.Advance(2);
        _fixture.Store.Held[0].Complete();

        // The second end is stored before anything is told that rests on it.
        Assert.False(answer.IsCompleted);
        _fixture.Store.Held[0].Complete();
        Assert.DoesNotContain(_fixture.Stored.Holders, holder => holder.Owner is "first" or "second");
        return answer;
    }

    private Func<ScriptedStore.SaveCall, SaveOutcome> Slowly(TimeSpan time) => call =>
    {
        _fixture.Time.Advance(time);
        return call.Write();
    };
}
