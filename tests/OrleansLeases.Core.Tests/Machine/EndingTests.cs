using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>Release and transfer, and what is said of a token that is not in force.</summary>
public sealed class EndingTests
{
    private readonly MachineFixture _fixture = new();

    [Fact]
    public void Release_WhenRepeated_IsReplayedAndNotRecordedAgain()
    {
        var token = _fixture.Grant();

        Assert.Equal(new LeaseReply.Released(token, Replayed: false), _fixture.Release(token));
        Assert.Null(_fixture.State.Log.NewestFirst().First().Reason);
        Assert.Equal(new LeaseReply.Released(token, Replayed: true), _fixture.Release(token));
        Assert.False(_fixture.Last.Durable);
        NotHolder(NotHolderReason.NeverHeld, _fixture.Release(token, owner: "you"));
    }

    [Fact]
    public void LockDelay_ThatIsOverWhileOthersWait_WakesNobodyAgain()
    {
        _fixture.Grant(Ask(ttl: 10) with { LockDelay = Seconds(5) });
        _fixture.Advance(10);
        // Its own delay does not bind the last holder.
        _fixture.Grant(ttl: 60, id: "again");
        _fixture.Wait(Ask("other"));
        _fixture.Advance(5);

        _fixture.Tick();

        Assert.Equal(_fixture.Clock.Read().Monotonic + Seconds(55), LeaseMachine.NextWake(_fixture.State, someoneWaits: true));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public void LockDelay_OfAnEarlierLease_IsNotCutShortByALaterOne(double later)
    {
        _fixture.Grant(Ask(ttl: 10) with { LockDelay = Seconds(60) });
        _fixture.Advance(10);
        // Its own delay does not bind the last holder.
        _fixture.Grant(Ask(ttl: 5, id: "again") with { LockDelay = Seconds(later) });
        _fixture.Advance(5);
        _fixture.Tick();

        _fixture.Advance(54);
        Refused<Refusal.Held>(_fixture.Acquire(Ask("next")));
        _fixture.Advance(1);
        Assert.IsType<LeaseReply.Granted>(_fixture.Acquire(Ask("next")));
    }

    [Fact]
    public void Release_WhenExpired_IsRefused()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(10);

        NotHolder(NotHolderReason.Expired, _fixture.Release(token));
    }

    [Fact]
    public void Release_WhenUndelivered_EndsTheGrantUnlessItWasToldAgain()
    {
        var first = _fixture.Grant(id: "one");
        Assert.Equal(new LeaseReply.Released(first, Replayed: false), _fixture.Release(first, undelivered: true));
        Assert.Equal("its caller was gone", _fixture.State.Log.NewestFirst().First().Reason);

        var second = _fixture.Grant(id: "two");
        Assert.Equal(new LeaseReply.Granted(second, Replayed: true), _fixture.Acquire(Ask(id: "two")));
        Assert.Equal(new LeaseReply.Released(second, Replayed: true), _fixture.Release(second, undelivered: true));
        Assert.Equal(second, Assert.Single(_fixture.State.Holders).Token);
    }

    [Fact]
    public void Release_WhenUndeliveredAfterALoad_IsDropped()
    {
        // Whom the grant was told to in the meantime is not known any more.
        var token = _fixture.Grant();
        _fixture.Reload();

        Assert.Equal(new LeaseReply.Released(token, Replayed: true), _fixture.Release(token, undelivered: true));
        Assert.Single(_fixture.State.Holders);
    }

    [Fact]
    public void Transfer_WhenHolding_EndsTheOldTokenAheadOfTheLine()
    {
        var token = _fixture.Grant(Ask(ttl: 10) with { LockDelay = Seconds(5) });
        _fixture.Wait(Ask("waiting"));
        _fixture.Advance(9);

        var next = Assert.IsType<LeaseReply.Granted>(_fixture.Transfer(token, to: "you")).Token;

        Assert.Equal(token + 1, next);
        var holder = Assert.Single(_fixture.State.Holders);
        Assert.Equal(("you", Seconds(10), Seconds(5)), (holder.Owner, holder.Ttl, holder.LockDelay));
        Assert.Equal(Seconds(10), _fixture.Told(next));
        NotHolder(NotHolderReason.Transferred, _fixture.Renew(token), last: next);
    }

    [Fact]
    public void Transfer_WhenRepeated_TellsTheSameTokenOrWhyItEnded()
    {
        var token = _fixture.Grant();
        var next = Assert.IsType<LeaseReply.Granted>(_fixture.Transfer(token, to: "you")).Token;

        Assert.Equal(new LeaseReply.Granted(next, Replayed: true), _fixture.Transfer(token, to: "you"));
        Refused<Refusal.Conflict>(_fixture.Transfer(token, to: "them"));
        _fixture.Release(next, "you");
        NotHolder(NotHolderReason.Released, _fixture.Transfer(token, to: "you"), last: next);
    }

    [Fact]
    public void Transfer_WhenNewOwnerHoldsAlready_IsHeld()
    {
        var mine = _fixture.Grant(AskShared("me", capacity: 3));
        _fixture.Grant(AskShared("you", capacity: 3));

        Assert.True(Refused<Refusal.Held>(_fixture.Transfer(mine, to: "you")).SameOwner);
        Assert.Equal(3, Assert.IsType<LeaseReply.Granted>(_fixture.Transfer(mine, to: "me")).Token);
        Assert.Equal(3, _fixture.State.Capacity);
    }

    [Fact]
    public void Transfer_WhenBreaking_Conflicts()
    {
        var token = _fixture.Grant();
        _fixture.Break(token, grace: 60);

        Refused<Refusal.Conflict>(_fixture.Transfer(token, to: "you"));
        Assert.Equal("me", Assert.Single(_fixture.State.Holders).Owner);
    }

    [Fact]
    public void Transfer_WhenInherited_FreesTheNewOwnersPlaceByItsOwnDeadline()
    {
        var token = _fixture.Grant(ttl: 100);
        _fixture.Reload("b");
        var next = Assert.IsType<LeaseReply.Granted>(_fixture.Transfer(token, to: "you", ttl: 1)).Token;

        _fixture.Advance(1);

        NotHolder(NotHolderReason.Expired, _fixture.Renew(next, "you"));
    }

    [Fact]
    public void NotHolder_WhenTheLogForgot_SaysSuperseded()
    {
        var fixture = new MachineFixture(NewRules() with { LogLength = 32 });
        var first = fixture.Grant(id: "first");
        fixture.Release(first);
        for (var i = 0; i < 40; i++) fixture.Release(fixture.Grant(id: $"more {i}"));

        NotHolder(NotHolderReason.Superseded, fixture.Renew(first), last: 41);
        NotHolder(NotHolderReason.Superseded, fixture.Release(first));
        NotHolder(NotHolderReason.NeverHeld, fixture.Renew(42), last: 41);
        NotHolder(NotHolderReason.NeverHeld, fixture.Break(42, grace: 0));
    }

    [Fact]
    public void Grant_InForce_IsKnownWhenTheLogForgotIt()
    {
        var token = _fixture.Grant(AskShared("me", ttl: 3600, id: "first"));
        for (var i = 0; i < 300; i++) _fixture.Release(_fixture.Grant(AskShared("you", id: $"q{i}")), owner: "you");
        Assert.False(_fixture.State.Log.TryFind(RequestFingerprint.Of(AskShared("me", id: "first")).Id, out _));

        NotHolder(NotHolderReason.NeverHeld, _fixture.Renew(token, owner: "you"));
        _fixture.Grant(AskShared("third"));
        Assert.True(_fixture.State.Knows(RequestFingerprint.Of(AskShared("me", id: "first")).Id));
        Assert.False(_fixture.State.Knows(RequestFingerprint.Of(AskShared("me", id: "other")).Id));
    }

    [Fact]
    public void Acquire_WhenReplayedGrantHasEnded_SaysWhy()
    {
        var token = _fixture.Grant(id: "once");
        _fixture.Release(token);
        NotHolder(NotHolderReason.Released, _fixture.Acquire(Ask(id: "once")), last: token);
        Refused<Refusal.Conflict>(_fixture.Acquire(Ask(id: "once", ttl: 11)));
    }

    [Fact]
    public void Acquire_WhenMetadataDiffersOnlyInWhereItIsCut_Conflicts()
    {
        _fixture.Grant(Ask() with { Metadata = new Dictionary<string, string> { ["a"] = "b\0c\0d" } });

        Refused<Refusal.Conflict>(_fixture.Acquire(Ask() with { Metadata = new Dictionary<string, string> { ["a"] = "b", ["c"] = "d" } }));
    }
}
