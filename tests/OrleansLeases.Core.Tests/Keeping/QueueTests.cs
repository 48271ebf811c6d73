using static OrleansLeases.Core.Tests.KeeperBench;
using static OrleansLeases.Core.Tests.MachineBench;

namespace OrleansLeases.Core.Tests;

/// <summary>Who waits, in what order they are served, and how a place is kept and lost.</summary>
public sealed class QueueTests
{
    private readonly KeeperBench _bench = new();

    [Fact]
    public void Line_WhenTheHolderReleases_IsServedInOrderWithTheFullTtl()
    {
        var held = _bench.Grant().Token;
        var first = Wait("first");
        var second = Wait("second");
        _bench.Advance(3);

        Now<LeaseRelease>(_bench.Release(held));

        var grant = Now<LeaseGrant>(first);
        Assert.Equal((held + 1, Seconds(10), Seconds(3)), (grant.Token, grant.Remaining, grant.Elapsed));
        Assert.False(second.IsCompleted);
        Assert.Equal(1, _bench.Info().Waiters);
        _bench.Advance(10);
        Assert.Equal(held + 2, Now<LeaseGrant>(second).Token);
    }

    [Fact]
    public void Wait_WhenItRunsOut_IsHeldWithItsPosition()
    {
        _bench.Grant(ttl: 60);
        var first = Wait("first", 20);
        var second = Wait("second", 5);

        _bench.Advance(Seconds(5) - TimeSpan.FromTicks(1));
        Assert.False(second.IsCompleted);
        _bench.Advance(TimeSpan.FromTicks(1));

        var held = Now<Refusal.Held>(second);
        Assert.Equal((2, TimeSpan.Zero, false), (held.Position, held.RetryAfter, held.SameOwner));
        Assert.Equal(Seconds(55), Assert.Single(held.Holders).Remaining);
        Assert.False(first.IsCompleted);
    }

    [Fact]
    public void Place_WhenTheRequestReturnsWithinFiveSeconds_IsKept()
    {
        var held = _bench.Grant(ttl: 60).Token;
        Now<Refusal.Held>(Expire(Wait("first", 1)));
        var second = Wait("second");
        _bench.Advance(Seconds(5) - TimeSpan.FromTicks(1));
        var again = Wait("first");

        _bench.Release(held);

        Now<LeaseGrant>(again);
        Assert.False(second.IsCompleted);
    }

    [Fact]
    public void Place_WhenAwayForFiveSeconds_IsLost()
    {
        var held = _bench.Grant(ttl: 60).Token;
        Now<Refusal.Held>(Expire(Wait("first", 1)));
        var second = Wait("second");
        _bench.Advance(5);
        Assert.Equal(1, _bench.Info().Waiters);
        var again = Wait("first");

        _bench.Release(held);

        Now<LeaseGrant>(second);
        Assert.False(again.IsCompleted);
    }

    [Fact]
    public void Place_WhenItsClientIsAway_IsPassedOver()
    {
        var held = _bench.Grant(ttl: 60).Token;
        Now<Refusal.Held>(Expire(Wait("first", 1)));
        var second = Wait("second");

        _bench.Release(held);

        Now<LeaseGrant>(second);
        // The place is still there: in front of who comes now.
        Assert.Equal(2, Now<Refusal.Held>(_bench.Acquire(Ask("third"))).Position);
    }

    [Fact]
    public void Call_WhenANewerOneHasTheSameId_IsTakenOver()
    {
        var held = _bench.Grant(ttl: 60).Token;
        var older = Wait("first");
        var newer = Wait("first");

        Now<Refusal.Unavailable>(older);
        Assert.Equal(1, _bench.Info().Waiters);
        _bench.Release(held);
        Assert.Equal(held + 1, Now<LeaseGrant>(newer).Token);
        Assert.Equal(held + 1, _bench.Stored.LastToken);
    }

    [Fact]
    public void Call_WhenTheRepeatedIdHasOtherContent_Conflicts()
    {
        _bench.Grant(ttl: 60);
        var waits = Wait("first");

        Now<Refusal.Conflict>(_bench.Acquire(Ask("first", ttl: 11) with { Wait = Seconds(5) }));
        Assert.False(waits.IsCompleted);
    }

    [Fact]
    public void Cancel_WhenWaiting_PassesOverAtOnceAndServesWhoStandsBehind()
    {
        Now<LeaseGrant>(_bench.Acquire(AskShared("reader", ttl: 60)));
        using var leaves = new CancellationTokenSource();
        var writer = Wait("writer", cancellation: leaves.Token);
        var reader = _bench.Acquire(AskShared("second") with { Wait = Seconds(20) });
        Assert.False(reader.IsCompleted);

        leaves.Cancel();

        Assert.True(writer.IsCanceled);
        Now<LeaseGrant>(reader);
    }

    [Fact]
    public void Cancel_WhenTheGrantIsBeingSaved_GivesThePlaceToTheNext()
    {
        var held = _bench.Grant(ttl: 60).Token;
        using var leaves = new CancellationTokenSource();
        var first = Wait("first", cancellation: leaves.Token);
        var second = Wait("second");
        _bench.Store.Hold = true;
        _ = _bench.Release(held);

        leaves.Cancel();
        Assert.True(first.IsCanceled);
        CompleteAll();

        Assert.Equal(held + 2, Now<LeaseGrant>(second).Token);
        Assert.Equal("second", Assert.Single(_bench.Stored.Holders).Owner);
    }

    [Fact]
    public void Cancel_WhenTheRequestIsRepeatedWhileTheGrantIsSaved_TheRepeatKeepsIt()
    {
        var held = _bench.Grant(ttl: 60).Token;
        using var leaves = new CancellationTokenSource();
        _ = Wait("first", cancellation: leaves.Token);
        _bench.Store.Hold = true;
        _ = _bench.Release(held);
        leaves.Cancel();
        var again = Wait("first");

        CompleteAll();

        Assert.Equal((held + 1, true), (Now<LeaseGrant>(again).Token, Now<LeaseGrant>(again).Replayed));
        Assert.Equal("first", Assert.Single(_bench.Stored.Holders).Owner);
    }

    [Fact]
    public void Cancel_WhenAlreadyCancelled_LeavesNothing()
    {
        _bench.Grant(ttl: 60);

        Assert.True(Wait("first", cancellation: new CancellationToken(canceled: true)).IsCanceled);
        Assert.Equal(0, _bench.Info().Waiters);
    }

    [Fact]
    public void Stop_WhenCallsWait_AnswersUnavailableAndTakesNoMore()
    {
        _bench.Grant(ttl: 60);
        var waits = Wait("first");

        _bench.Keeper.Stop();

        Now<Refusal.Unavailable>(waits);
        Now<Refusal.Unavailable>(_bench.Acquire(Ask("second")));
    }

    [Fact]
    public void Line_WhenAnExclusiveCallWaits_KeepsLaterSharedOnesBehindIt()
    {
        var reader = Now<LeaseGrant>(_bench.Acquire(AskShared("reader"))).Token;
        var writer = Wait("writer");

        Assert.Equal(2, Now<Refusal.Held>(_bench.Acquire(AskShared("late"))).Position);
        _bench.Release(reader, "reader");
        Now<LeaseGrant>(writer);
    }

    [Fact]
    public void LockDelay_WhenTheLeaseExpired_BindsEveryoneButItsOwner()
    {
        Now<LeaseGrant>(_bench.Acquire(Ask(ttl: 3) with { LockDelay = Seconds(4) }));
        var other = Wait("other");
        _bench.Advance(3);
        Assert.Equal((LeaseStatus.Delayed, Seconds(4)), (_bench.Info().State, _bench.Info().AvailableIn));

        // The owner passes whoever waits, bound by the delay.
        var again = _bench.Grant(ttl: 3, id: "again").Token;
        _bench.Release(again);
        Now<LeaseGrant>(other);
    }

    [Fact]
    public void LockDelay_WhenItEnds_ServesTheLine()
    {
        Now<LeaseGrant>(_bench.Acquire(Ask(ttl: 3) with { LockDelay = Seconds(4) }));
        var other = Wait("other");

        _bench.Advance(Seconds(7) - TimeSpan.FromTicks(1));
        Assert.False(other.IsCompleted);
        _bench.Advance(TimeSpan.FromTicks(1));
        Now<LeaseGrant>(other);
    }

    [Theory]
    [InlineData("release", false)]
    [InlineData("break", false)]
    [InlineData("force", true)]
    public void LockDelay_WhenTheLeaseEnds_AppliesToForceOnly(string how, bool delays)
    {
        var token = Now<LeaseGrant>(_bench.Acquire(Ask(ttl: 3) with { LockDelay = Seconds(4) })).Token;
        if (how == "release") _bench.Release(token);
        else Now<LeaseBreak>(_bench.Break(token, grace: 3, force: how == "force"));
        _bench.Advance(3);

        var answer = _bench.Acquire(Ask("other"));
        if (delays) Assert.Equal(Seconds(4), Now<Refusal.Held>(answer).RetryAfter);
        else Now<LeaseGrant>(answer);
    }

    [Fact]
    public void Acquire_WhenTheOwnerHoldsAlready_IsHeldAsSameOwner()
    {
        _bench.Grant(id: "one");

        var held = Now<Refusal.Held>(_bench.Acquire(Ask(id: "two")));
        Assert.True(held.SameOwner);
        Assert.Equal(Seconds(10), held.RetryAfter);
    }

    [Fact]
    public void Acquire_WhenTheCapacityDiffers_ConflictsWhileAHolderOrWaiterHasAnother()
    {
        var held = _bench.Grant().Token;
        _ = _bench.Acquire(AskShared("waits", capacity: 2) with { Wait = Seconds(1) });
        Assert.Equal(2, Now<Refusal.Conflict>(_bench.Acquire(AskShared("other", capacity: 3))).Current);
        _bench.Release(held);
        Assert.Equal(2, _bench.Info().Capacity);
        Assert.Equal(2, Now<Refusal.Conflict>(_bench.Acquire(AskShared("other"))).Current);

        _bench.Advance(10);
        Now<LeaseGrant>(_bench.Acquire(AskShared("other", capacity: 3)));
    }

    [Fact]
    public void Limits_WhenReached_AreTypedRefusals()
    {
        var rules = NewRules();
        var bench = new KeeperBench(rules with { Limits = rules.Limits with { MaxHolders = 2, MaxWaiters = 1 } });
        Now<LeaseGrant>(bench.Acquire(AskShared("one")));
        Now<LeaseGrant>(bench.Acquire(AskShared("two")));
        Assert.Equal("holders", Now<Refusal.LimitReached>(bench.Acquire(AskShared("three"))).Limit);

        var waits = bench.Acquire(AskShared("three") with { Wait = Seconds(20) });
        Assert.False(waits.IsCompleted);
        Assert.Equal("waiters", Now<Refusal.LimitReached>(bench.Acquire(AskShared("four") with { Wait = Seconds(20) })).Limit);
        bench.Advance(10);
        Now<LeaseGrant>(waits);
    }

    [Fact]
    public void Position_WhenSomeoneBehindIsServed_CountsOnlyThoseAhead()
    {
        var bench = new MachineBench();
        bench.Grant(Ask("owner", id: "first") with { LockDelay = Seconds(5) });
        bench.Wait(Ask("bound"));
        bench.Wait(Ask("owner", id: "second"));
        bench.Advance(10);

        Assert.Equal(1, Refused<Refusal.Held>(bench.Acquire(Ask("bound"))).Position);
        Assert.Equal("owner", Assert.Single(bench.State.Holders).Owner);
    }

    private Task Wait(string owner, double wait = 20, CancellationToken cancellation = default) =>
        _bench.Acquire(Ask(owner) with { Wait = Seconds(wait) }, cancellation);

    private Task Expire(Task waiting)
    {
        _bench.Advance(1);
        return waiting;
    }

    private void CompleteAll()
    {
        while (_bench.Store.Held.Count > 0) _bench.Store.Held[0].Complete();
    }
}
