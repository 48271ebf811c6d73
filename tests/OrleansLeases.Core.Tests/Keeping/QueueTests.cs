using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>Who waits, in what order they are served, and how a place is kept and lost.</summary>
public sealed class QueueTests
{
    private readonly KeeperFixture _fixture = new();

    [Fact]
    public void Line_WhenTheHolderReleases_IsServedInOrderWithTheFullTtl()
    {
        var held = _fixture.Grant().Token;
        var first = Wait("first");
        var second = Wait("second");
        _fixture.Advance(3);

        Now<LeaseRelease>(_fixture.Release(held));

        var grant = Now<LeaseGrant>(first);
        Assert.Equal((held + 1, Seconds(10), Seconds(3)), (grant.Token, grant.Remaining, grant.Elapsed));
        Assert.False(grant.Replayed);
        Assert.False(second.IsCompleted);
        Assert.Equal(1, _fixture.Info().Waiters);
        _fixture.Advance(10);
        Assert.Equal(held + 2, Now<LeaseGrant>(second).Token);
    }

    [Fact]
    public void Wait_WhenItRunsOut_IsHeldWithItsPosition()
    {
        _fixture.Grant(ttl: 60);
        var first = Wait("first", 20);
        var second = Wait("second", 5);

        _fixture.Advance(Seconds(5) - TimeSpan.FromTicks(1));
        Assert.False(second.IsCompleted);
        _fixture.Advance(TimeSpan.FromTicks(1));

        var held = Now<Refusal.Held>(second);
        Assert.Equal((2, TimeSpan.Zero, false), (held.Position, held.RetryAfter, held.SameOwner));
        Assert.Equal(Seconds(55), Assert.Single(held.Holders).Remaining);
        Assert.False(first.IsCompleted);
    }

    [Fact]
    public void Place_WhenTheRequestReturnsWithinFiveSeconds_IsKept()
    {
        var held = _fixture.Grant(ttl: 60).Token;
        Now<Refusal.Held>(Expire(Wait("first", 1)));
        var second = Wait("second");
        _fixture.Advance(Seconds(5) - TimeSpan.FromTicks(1));
        var again = Wait("first");

        _fixture.Release(held);

        Now<LeaseGrant>(again);
        Assert.False(second.IsCompleted);
    }

    [Fact]
    public void Place_WhenAwayForFiveSeconds_IsLost()
    {
        var held = _fixture.Grant(ttl: 60).Token;
        Now<Refusal.Held>(Expire(Wait("first", 1)));
        var second = Wait("second");
        _fixture.Advance(5);
        Assert.Equal(1, _fixture.Info().Waiters);
        var again = Wait("first");

        _fixture.Release(held);

        Now<LeaseGrant>(second);
        Assert.False(again.IsCompleted);
    }

    [Fact]
    public void Place_WhenItsClientIsAway_IsPassedOver()
    {
        var held = _fixture.Grant(ttl: 60).Token;
        Now<Refusal.Held>(Expire(Wait("first", 1)));
        var second = Wait("second");

        _fixture.Release(held);

        Now<LeaseGrant>(second);
        // The place is still there: in front of who comes now.
        Assert.Equal(2, Now<Refusal.Held>(_fixture.Acquire(Ask("third"))).Position);
    }

    [Fact]
    public void Call_WhenANewerOneHasTheSameId_IsTakenOver()
    {
        var held = _fixture.Grant(ttl: 60).Token;
        var older = Wait("first");
        var newer = Wait("first");

        Now<Refusal.Unavailable>(older);
        Assert.Equal(1, _fixture.Info().Waiters);
        _fixture.Release(held);
        Assert.Equal(held + 1, Now<LeaseGrant>(newer).Token);
        Assert.Equal(held + 1, _fixture.Stored.LastToken);
    }

    [Fact]
    public void Call_WhenANewerOneOfTheSameIdIsGranted_IsTakenOver()
    {
        _fixture.Grant(ttl: 10);
        var older = Wait("other");
        _fixture.AlarmsRing = false;
        _fixture.Advance(10);

        Assert.False(Now<LeaseGrant>(_fixture.Acquire(Ask("other"))).Replayed);

        Assert.Contains("newer call", Now<Refusal.Unavailable>(older).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Line_OfSeveralWhoseLeasesAreOverOnceStored_IsToldSo()
    {
        var token = _fixture.Grant(ttl: 60).Token;
        Task[] waits = [WaitShared("a"), WaitShared("b")];
        _fixture.Store.OnSave(call =>
        {
            var outcome = call.Write();
            _fixture.Time.Advance(Seconds(6));
            return outcome;
        });

        Now<LeaseRelease>(_fixture.Release(token));

        foreach (var waiter in waits) Assert.Equal(NotHolderReason.Expired, Now<Refusal.NotHolder>(waiter).Reason);

        Task WaitShared(string owner) => _fixture.Acquire(AskShared(owner, ttl: 5) with { Wait = Seconds(20) });
    }

    [Fact]
    public void Call_WhenTheRepeatedIdHasOtherContent_Conflicts()
    {
        _fixture.Grant(ttl: 60);
        var waits = Wait("first");

        Now<Refusal.Conflict>(_fixture.Acquire(Ask("first", ttl: 11) with { Wait = Seconds(5) }));
        Assert.False(waits.IsCompleted);
    }

    [Fact]
    public void Cancel_WhenWaiting_PassesOverAtOnceAndServesWhoStandsBehind()
    {
        Now<LeaseGrant>(_fixture.Acquire(AskShared("reader", ttl: 60)));
        using var leaves = new CancellationTokenSource();
        var writer = Wait("writer", cancellation: leaves.Token);
        var reader = _fixture.Acquire(AskShared("second") with { Wait = Seconds(20) });
        Assert.False(reader.IsCompleted);

        leaves.Cancel();

        Assert.True(writer.IsCanceled);
        Now<LeaseGrant>(reader);
    }

    [Fact]
    public void Cancel_WhenTheGrantIsBeingSaved_GivesThePlaceToTheNext()
    {
        var held = _fixture.Grant(ttl: 60).Token;
        using var leaves = new CancellationTokenSource();
        var first = Wait("first", cancellation: leaves.Token);
        var second = Wait("second");
        _fixture.Store.Hold = true;
        _ = _fixture.Release(held);

        leaves.Cancel();
        Assert.True(first.IsCanceled);
        CompleteAll();

        Assert.Equal(held + 2, Now<LeaseGrant>(second).Token);
        Assert.Equal("second", Assert.Single(_fixture.Stored.Holders).Owner);
    }

    [Fact]
    public void Cancel_WhenTheRequestIsRepeatedWhileTheGrantIsSaved_TheRepeatKeepsIt()
    {
        var held = _fixture.Grant(ttl: 60).Token;
        using var leaves = new CancellationTokenSource();
        _ = Wait("first", cancellation: leaves.Token);
        _fixture.Store.Hold = true;
        _ = _fixture.Release(held);
        leaves.Cancel();
        var again = Wait("first");

        CompleteAll();

        Assert.Equal((held + 1, true), (Now<LeaseGrant>(again).Token, Now<LeaseGrant>(again).Replayed));
        Assert.Equal("first", Assert.Single(_fixture.Stored.Holders).Owner);
    }

    [Fact]
    public void Cancel_WhenAlreadyCancelled_LeavesNothing()
    {
        _fixture.Grant(ttl: 60);

        Assert.True(Wait("first", cancellation: new CancellationToken(canceled: true)).IsCanceled);
        Assert.Equal(0, _fixture.Info().Waiters);
    }

    [Fact]
    public void Stop_WhenCallsWait_AnswersUnavailableAndTakesNoMore()
    {
        _fixture.Grant(ttl: 60);
        var waits = Wait("first");

        _fixture.Keeper.Stop();

        Now<Refusal.Unavailable>(waits);
        Now<Refusal.Unavailable>(_fixture.Acquire(Ask("second")));
    }

    [Fact]
    public void Line_WhenAnExclusiveCallWaits_KeepsLaterSharedOnesBehindIt()
    {
        var reader = Now<LeaseGrant>(_fixture.Acquire(AskShared("reader"))).Token;
        var writer = Wait("writer");

        Assert.Equal(2, Now<Refusal.Held>(_fixture.Acquire(AskShared("late"))).Position);
        _fixture.Release(reader, "reader");
        Now<LeaseGrant>(writer);
    }

    [Fact]
    public void LockDelay_WhenTheLeaseExpired_BindsEveryoneButItsOwner()
    {
        Now<LeaseGrant>(_fixture.Acquire(Ask(ttl: 3) with { LockDelay = Seconds(4) }));
        var other = Wait("other");
        _fixture.Advance(3);
        Assert.Equal((LeaseStatus.Delayed, Seconds(4)), (_fixture.Info().State, _fixture.Info().AvailableIn));

        // The owner passes whoever waits, bound by the delay.
        var again = _fixture.Grant(ttl: 3, id: "again").Token;
        _fixture.Release(again);
        Now<LeaseGrant>(other);
    }

    [Fact]
    public void LockDelay_WhenItEnds_ServesTheLine()
    {
        Now<LeaseGrant>(_fixture.Acquire(Ask(ttl: 3) with { LockDelay = Seconds(4) }));
        var other = Wait("other");

        _fixture.Advance(Seconds(7) - TimeSpan.FromTicks(1));
        Assert.False(other.IsCompleted);
        _fixture.Advance(TimeSpan.FromTicks(1));
        Now<LeaseGrant>(other);
    }

    [Theory]
    [InlineData("release", false)]
    [InlineData("break", false)]
    [InlineData("force", true)]
    public void LockDelay_WhenTheLeaseEnds_AppliesToForceOnly(string how, bool delays)
    {
        var token = Now<LeaseGrant>(_fixture.Acquire(Ask(ttl: 3) with { LockDelay = Seconds(4) })).Token;
        if (how == "release") _fixture.Release(token);
        else Now<LeaseBreak>(_fixture.Break(token, grace: 3, force: how == "force"));
        _fixture.Advance(3);

        var answer = _fixture.Acquire(Ask("other"));
        if (delays) Assert.Equal(Seconds(4), Now<Refusal.Held>(answer).RetryAfter);
        else Now<LeaseGrant>(answer);
    }

    [Fact]
    public void Acquire_WhenTheOwnerHoldsAlready_IsHeldAsSameOwner()
    {
        _fixture.Grant(id: "one");

        var held = Now<Refusal.Held>(_fixture.Acquire(Ask(id: "two")));
        Assert.True(held.SameOwner);
        Assert.Equal(Seconds(10), held.RetryAfter);
    }

    [Fact]
    public void Acquire_WhenTheCapacityDiffers_ConflictsWhileAHolderOrWaiterHasAnother()
    {
        var held = _fixture.Grant().Token;
        _ = _fixture.Acquire(AskShared("waits", capacity: 2) with { Wait = Seconds(1) });
        Assert.Equal(2, Now<Refusal.Conflict>(_fixture.Acquire(AskShared("other", capacity: 3))).Current);
        _fixture.Release(held);
        Assert.Equal(2, _fixture.Info().Capacity);
        Assert.Equal(2, Now<Refusal.Conflict>(_fixture.Acquire(AskShared("other"))).Current);

        _fixture.Advance(10);
        Now<LeaseGrant>(_fixture.Acquire(AskShared("other", capacity: 3)));
    }

    [Fact]
    public void Limits_WhenReached_AreTypedRefusals()
    {
        var rules = NewRules();
        var fixture = new KeeperFixture(rules with { Limits = rules.Limits with { MaxHolders = 2, MaxWaiters = 1 } });
        Now<LeaseGrant>(fixture.Acquire(AskShared("one")));
        Now<LeaseGrant>(fixture.Acquire(AskShared("two")));
        Assert.Equal("holders", Now<Refusal.LimitReached>(fixture.Acquire(AskShared("three"))).Limit);

        var waits = fixture.Acquire(AskShared("three") with { Wait = Seconds(20) });
        Assert.False(waits.IsCompleted);
        Assert.Equal("waiters", Now<Refusal.LimitReached>(fixture.Acquire(AskShared("four") with { Wait = Seconds(20) })).Limit);
        fixture.Advance(10);
        Now<LeaseGrant>(waits);
    }

    [Fact]
    public void Get_WhenMoreWaitThanAreShown_ShowsTheFirstHundred()
    {
        _fixture.Acquire(Ask("holder"));
        for (var i = 0; i < 101; i++) _fixture.Acquire(Ask($"w{i}") with { Wait = Seconds(20) });

        var info = _fixture.Info();
        Assert.Equal((101, 100), (info.Waiters, info.Queue!.Count));
        Assert.Equal(("w0", "w99"), (info.Queue[0].Owner, info.Queue[^1].Owner));
    }

    [Fact]
    public void Position_WhenSomeoneBehindIsServed_CountsOnlyThoseAhead()
    {
        var fixture = new MachineFixture();
        fixture.Grant(Ask("owner", id: "first") with { LockDelay = Seconds(5) });
        fixture.Wait(Ask("bound"));
        fixture.Wait(Ask("owner", id: "second"));
        fixture.Advance(10);

        Assert.Equal(1, Refused<Refusal.Held>(fixture.Acquire(Ask("bound"))).Position);
        Assert.Equal("owner", Assert.Single(fixture.State.Holders).Owner);
    }

    private Task Wait(string owner, double wait = 20, CancellationToken cancellation = default) =>
        _fixture.Acquire(Ask(owner) with { Wait = Seconds(wait) }, cancellation);

    private Task Expire(Task waiting)
    {
        _fixture.Advance(1);
        return waiting;
    }

    private void CompleteAll()
    {
        while (_fixture.Store.Held.Count > 0) _fixture.Store.Held[0].Complete();
    }
}
