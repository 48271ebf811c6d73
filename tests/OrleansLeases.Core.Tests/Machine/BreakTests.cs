using static OrleansLeases.Core.Tests.MachineBench;

namespace OrleansLeases.Core.Tests;

public sealed class BreakTests
{
    private readonly MachineBench _bench = new();

    [Fact]
    public void Break_WhenNoticeEndsBeforeTheDeadline_EndsAtTheDeadline()
    {
        var token = _bench.Grant(ttl: 10);

        Assert.Equal(Seconds(10), Ends(_bench.Break(token, grace: 1)));
        _bench.Time.Advance(Seconds(10) - TimeSpan.FromTicks(1));
        Assert.IsType<LeaseReply.Renewed>(_bench.Renew(token));
        _bench.Time.Advance(TimeSpan.FromTicks(1));
        NotHolder(NotHolderReason.Broken, _bench.Renew(token), last: token);
    }

    [Fact]
    public void Break_WhenNoticeIsLonger_BoundsRenewalsAndPromisesNothing()
    {
        var token = _bench.Grant(ttl: 10);

        Assert.Equal(Seconds(15), Ends(_bench.Break(token, grace: 15)));
        Assert.Equal(Seconds(10), _bench.Told(token));
        _bench.Advance(9);
        _bench.Renew(token);
        Assert.Equal(Seconds(6), _bench.Told(token));
        _bench.Advance(6);
        NotHolder(NotHolderReason.Broken, _bench.Renew(token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Break_WhenTheHolderIsDead_LeavesTheEndWhereItWas(bool force)
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(9);

        Assert.Equal(Seconds(9 + 3600), Ends(_bench.Break(token, grace: 3600, force)));
        _bench.Advance(1);

        NotHolder(NotHolderReason.Expired, _bench.Renew(token));
        Assert.IsType<LeaseReply.Granted>(_bench.Acquire(Ask("next")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Break_WhenTheHolderIsDead_LeavesTheEndWhereItWasAfterALoad(bool force)
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Break(token, grace: 3600, force);

        _bench.Reload();
        _bench.Advance(10);

        NotHolder(NotHolderReason.Expired, _bench.Renew(token));
    }

    [Fact]
    public void Renew_WhenBreakingWithTimeLeft_IsBoundedAfterALoadAsBefore()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Break(token, grace: 60);
        _bench.Advance(5);
        _bench.Renew(token, ttl: 30);
        _bench.Reload();

        _bench.Renew(token, ttl: 300);

        Assert.Equal(Seconds(55), _bench.Told(token));
        _bench.Advance(55);
        NotHolder(NotHolderReason.Broken, _bench.Renew(token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Break_WhenTheHolderLetsItExpire_StartsTheLockDelay(bool force)
    {
        _bench.Grant(Ask("me", ttl: 10) with { LockDelay = Seconds(30) });
        _bench.Break(null, grace: 60, force);
        _bench.Advance(10);

        Refused<Refusal.Held>(_bench.Acquire(Ask("next")));
        _bench.Advance(30);
        Assert.IsType<LeaseReply.Granted>(_bench.Acquire(Ask("next")));
    }

    [Fact]
    public void Renew_WhenBreaking_ExtendsNothing()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Break(token, grace: 0);
        _bench.Advance(4);

        Assert.IsType<LeaseReply.Renewed>(_bench.Renew(token, ttl: 100));
        Assert.Equal(Seconds(6), _bench.Told(token));
    }

    [Fact]
    public void Break_WhenForcedWithoutNotice_EndsAndServesTheLineInOneWrite()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Wait(Ask("next"));

        Assert.Equal(TimeSpan.Zero, Ends(_bench.Break(token, grace: 0, force: true)));

        Assert.Equal("next", Assert.Single(_bench.State.Holders).Owner);
        Assert.Equal(
            [LeaseEventKind.Granted, LeaseEventKind.Breaking, LeaseEventKind.Broken, LeaseEventKind.Granted],
            _bench.Stored.Log.NewestFirst().Reverse().Select(entry => entry.Kind));
        Assert.Equal(2, _bench.Stored.Version);
        Assert.Equal("upkeep", _bench.Stored.Log.NewestFirst().ElementAt(1).Reason);
    }

    [Fact]
    public void Break_WhenForcedDuringUnforced_EndsEarlier()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Break(token, grace: 60, id: "first");

        Assert.Equal(Seconds(2), Ends(_bench.Break(token, grace: 2, force: true, id: "second")));
        Assert.Equal(Seconds(2), _bench.Told(token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Break_WhenLongerThanTheOrderInForce_PutsNothingOff(bool force)
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Break(token, grace: 20, id: "first");

        Assert.Equal(Seconds(20), Ends(_bench.Break(token, grace: 30, force: force, id: "second")));
        _bench.Renew(token, ttl: 100);
        Assert.Equal(Seconds(20), _bench.Told(token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Break_WhenShorterThanTheOrderInForce_EndsNoEarlierThanTold(bool force)
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Break(token, grace: 3600, force: force, id: "first");
        _bench.Advance(5);
        _bench.Renew(token, ttl: 20);

        Assert.Equal(Seconds(25), Ends(_bench.Break(token, grace: 0, id: "second")));
        Assert.Equal(Seconds(20), _bench.Told(token));
        _bench.Renew(token, ttl: 100);
        Assert.Equal(Seconds(20), _bench.Told(token));
    }

    [Fact]
    public void Break_WhenRepeated_AppliesOnceAndTellsTheSameEnd()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Break(token, grace: 20);
        _bench.Advance(5);

        Assert.Equal(Seconds(20), Ends(_bench.Break(token, grace: 20)));
        Assert.False(_bench.Last.Durable);
        Assert.Equal(2, _bench.State.Log.Last);

        _bench.Advance(20);
        Assert.Equal(Seconds(25), Ends(_bench.Break(token, grace: 20)));
    }

    [Fact]
    public void Break_WhenIdIsReusedWithOtherContent_Conflicts()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Break(token, grace: 20);

        Refused<Refusal.Conflict>(_bench.Break(token, grace: 21));
        Refused<Refusal.Conflict>(_bench.Break(token, grace: 20, force: true));
        Refused<Refusal.Conflict>(_bench.Break(token, grace: 20, reason: "another"));
        _bench.Renew(token, ttl: 100);
        Assert.Equal(Seconds(20), _bench.Told(token));
    }

    [Fact]
    public void Break_WhenThereAreSeveralHolders_NeedsTheToken()
    {
        var first = _bench.Grant(AskShared("a"));
        _bench.Grant(AskShared("b"));

        Assert.Contains("token", Refused<Refusal.InvalidRequest>(_bench.Break(null, grace: 0)).Errors.Keys);
        Assert.Equal(first, Assert.IsType<LeaseReply.Breaking>(_bench.Break(first, grace: 0)).Token);
    }

    [Fact]
    public void Break_WhenNobodyHolds_SaysWhyTheLastEnded()
    {
        NotHolder(NotHolderReason.NeverHeld, _bench.Break(null, grace: 0), last: 0);
        var token = _bench.Grant();
        _bench.Release(token);

        NotHolder(NotHolderReason.Released, _bench.Break(null, grace: 0), last: token);
        // A newer record may have a holder.
        Assert.True(_bench.Last.RequiresFreshRead);
    }

    [Fact]
    public void Break_WhenInherited_EndsNoEarlierThanAnotherActivationMayHaveTold()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(1);
        _bench.Renew(token);
        _bench.Reload("b");

        // The horizon lies 20 s ahead, by a clock that may be 1 s behind.
        Assert.Equal(Seconds(20 + 1), Ends(_bench.Break(token, grace: 0)));
    }

    [Fact]
    public void Break_WhenInheritedAndLoadedAgain_KeepsItsEnd()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Advance(1);
        _bench.Renew(token);
        _bench.Reload("b");
        var latest = Ends(_bench.Break(token, grace: 0)) - _bench.Clock.Read().Monotonic;

        _bench.Reload();
        _bench.Time.Advance(latest - TimeSpan.FromTicks(1));
        _bench.Tick();

        Assert.Single(_bench.State.Holders);
        _bench.Time.Advance(TimeSpan.FromMilliseconds(1));
        _bench.Tick();
        Assert.Empty(_bench.State.Holders);
    }

    [Fact]
    public void Break_WhenLoadedByAnotherIncarnation_IsWaitedOutWithTheSkew()
    {
        var token = _bench.Grant(ttl: 10);
        _bench.Break(token, grace: 20);
        _bench.Renew(token, ttl: 100);
        _bench.Reload("b");

        _bench.Time.Advance(Seconds(21) - TimeSpan.FromTicks(1));
        _bench.Tick();
        Assert.Single(_bench.State.Holders);
        _bench.Time.Advance(TimeSpan.FromTicks(1));
        NotHolder(NotHolderReason.Broken, _bench.Renew(token));
    }

    private static TimeSpan Ends(LeaseReply reply) => Assert.IsType<LeaseReply.Breaking>(reply).Ends;
}
