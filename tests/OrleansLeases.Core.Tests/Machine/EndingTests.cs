using static OrleansLeases.Core.Tests.MachineBench;

namespace OrleansLeases.Core.Tests;

/// <summary>Release and transfer, and what is said of a token that is not in force.</summary>
public sealed class EndingTests
{
    private readonly MachineBench _bench = new();

    [Fact]
    public void Release_WhenRepeated_IsReplayedAndNotRecordedAgain()
    {
        var token = _bench.Grant();

        Assert.Equal(new LeaseReply.Released(token, Replayed: false), _bench.Release(token));
        Assert.Equal(new LeaseReply.Released(token, Replayed: true), _bench.Release(token));
        Assert.False(_bench.Last.Durable);
        NotHolder(NotHolderReason.NeverHeld, _bench.Release(token, owner: "you"));
    }

    [Fact]
    public void Release_WhenExpired_IsRefused()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(10);

        NotHolder(NotHolderReason.Expired, _bench.Release(token));
    }

    [Fact]
    public void Release_WhenUndelivered_EndsTheGrantUnlessItWasToldAgain()
    {
        var first = _bench.Grant(id: "one");
        Assert.Equal(new LeaseReply.Released(first, Replayed: false), _bench.Release(first, undelivered: true));

        var second = _bench.Grant(id: "two");
        Assert.Equal(new LeaseReply.Granted(second, Replayed: true), _bench.Acquire(Ask(id: "two")));
        Assert.Equal(new LeaseReply.Released(second, Replayed: true), _bench.Release(second, undelivered: true));
        Assert.Equal(second, Assert.Single(_bench.State.Holders).Token);
    }

    [Fact]
    public void Release_WhenUndeliveredAfterALoad_IsDropped()
    {
        // Whom the grant was told to in the meantime is not known any more.
        var token = _bench.Grant();
        _bench.Reload();

        Assert.Equal(new LeaseReply.Released(token, Replayed: true), _bench.Release(token, undelivered: true));
        Assert.Single(_bench.State.Holders);
    }

    [Fact]
    public void Transfer_WhenHolding_EndsTheOldTokenAheadOfTheLine()
    {
        var token = _bench.Grant(Ask(ttl: 10) with { LockDelay = Seconds(5) });
        _bench.Wait(Ask("waiting"));
        _bench.Advance(9);

        var next = Assert.IsType<LeaseReply.Granted>(_bench.Transfer(token, to: "you")).Token;

        Assert.Equal(token + 1, next);
        var holder = Assert.Single(_bench.State.Holders);
        Assert.Equal(("you", Seconds(10), Seconds(5)), (holder.Owner, holder.Ttl, holder.LockDelay));
        Assert.Equal(Seconds(10), _bench.Told(next));
        NotHolder(NotHolderReason.Transferred, _bench.Renew(token), last: next);
    }

    [Fact]
    public void Transfer_WhenRepeated_TellsTheSameTokenOrWhyItEnded()
    {
        var token = _bench.Grant();
        var next = Assert.IsType<LeaseReply.Granted>(_bench.Transfer(token, to: "you")).Token;

        Assert.Equal(new LeaseReply.Granted(next, Replayed: true), _bench.Transfer(token, to: "you"));
        Refused<Refusal.Conflict>(_bench.Transfer(token, to: "them"));
        _bench.Release(next, "you");
        NotHolder(NotHolderReason.Released, _bench.Transfer(token, to: "you"), last: next);
    }

    [Fact]
    public void Transfer_WhenNewOwnerHoldsAlready_IsHeld()
    {
        var mine = _bench.Grant(AskShared("me", capacity: 3));
        _bench.Grant(AskShared("you", capacity: 3));

        Assert.True(Refused<Refusal.Held>(_bench.Transfer(mine, to: "you")).SameOwner);
        Assert.Equal(3, Assert.IsType<LeaseReply.Granted>(_bench.Transfer(mine, to: "me")).Token);
        Assert.Equal(3, _bench.State.Capacity);
    }

    [Fact]
    public void Transfer_WhenBreaking_Conflicts()
    {
        var token = _bench.Grant();
        _bench.Break(token, grace: 60);

        Refused<Refusal.Conflict>(_bench.Transfer(token, to: "you"));
        Assert.Equal("me", Assert.Single(_bench.State.Holders).Owner);
    }

    [Fact]
    public void Transfer_WhenInherited_FreesTheNewOwnersPlaceByItsOwnDeadline()
    {
        var token = _bench.Grant(ttl: 100);
        _bench.Reload("b");
        var next = Assert.IsType<LeaseReply.Granted>(_bench.Transfer(token, to: "you", ttl: 1)).Token;

        _bench.Advance(1);

        NotHolder(NotHolderReason.Expired, _bench.Renew(next, "you"));
    }

    [Fact]
    public void NotHolder_WhenTheLogForgot_SaysSuperseded()
    {
        var bench = new MachineBench(NewRules() with { LogLength = 32 });
        var first = bench.Grant(id: "first");
        bench.Release(first);
        for (var i = 0; i < 40; i++) bench.Release(bench.Grant(id: $"more {i}"));

        NotHolder(NotHolderReason.Superseded, bench.Renew(first), last: 41);
        NotHolder(NotHolderReason.Superseded, bench.Release(first));
        NotHolder(NotHolderReason.NeverHeld, bench.Renew(42), last: 41);
        NotHolder(NotHolderReason.NeverHeld, bench.Break(42, grace: 0));
    }

    [Fact]
    public void Acquire_WhenReplayedGrantHasEnded_SaysWhy()
    {
        var token = _bench.Grant(id: "once");
        _bench.Release(token);
        NotHolder(NotHolderReason.Released, _bench.Acquire(Ask(id: "once")), last: token);
        Refused<Refusal.Conflict>(_bench.Acquire(Ask(id: "once", ttl: 11)));
    }

    [Fact]
    public void Acquire_WhenMetadataDiffersOnlyInWhereItIsCut_Conflicts()
    {
        _bench.Grant(Ask() with { Metadata = new Dictionary<string, string> { ["a"] = "b\0c\0d" } });

        Refused<Refusal.Conflict>(_bench.Acquire(Ask() with { Metadata = new Dictionary<string, string> { ["a"] = "b", ["c"] = "d" } }));
    }
}
