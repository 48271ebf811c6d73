using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

public sealed class BreakTests
{
    private readonly MachineFixture _fixture = new();

    [Fact]
    public void Break_WhenNoticeEndsBeforeTheDeadline_EndsAtTheDeadline()
    {
        var token = _fixture.Grant(ttl: 10);

        Assert.Equal(Seconds(10), Ends(_fixture.Break(token, grace: 1)));
        _fixture.Time.Advance(Seconds(10) - TimeSpan.FromTicks(1));
        Assert.IsType<LeaseReply.Renewed>(_fixture.Renew(token));
        _fixture.Time.Advance(TimeSpan.FromTicks(1));
        NotHolder(NotHolderReason.Broken, _fixture.Renew(token), last: token);
    }

    // The write that orders it may store an earlier horizon, and a keeper that loads the record keeps the place no longer than that.
    [Fact]
    public void Break_WhenNoticeEndsBeforeTheDeadline_TakesNothingAway_NotAfterALoadEither()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 1);
        Assert.Equal(Seconds(10), _fixture.Told(token));

        _fixture.Reload();
        _fixture.Time.Advance(Seconds(10) - TimeSpan.FromTicks(1));
        _fixture.Tick();

        Assert.Single(_fixture.State.Holders);
    }

    [Fact]
    public void Break_WhenNoticeIsLonger_BoundsRenewalsAndPromisesNothing()
    {
        var token = _fixture.Grant(ttl: 10);

        Assert.Equal(Seconds(15), Ends(_fixture.Break(token, grace: 15)));
        Assert.Equal(Seconds(10), _fixture.Told(token));
        _fixture.Advance(9);
        _fixture.Renew(token);
        Assert.Equal(Seconds(6), _fixture.Told(token));
        _fixture.Advance(6);
        NotHolder(NotHolderReason.Broken, _fixture.Renew(token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Break_WhenTheHolderIsDead_LeavesTheEndWhereItWas(bool force)
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(9);

        Assert.Equal(Seconds(9 + 3600), Ends(_fixture.Break(token, grace: 3600, force)));
        _fixture.Advance(1);

        NotHolder(NotHolderReason.Expired, _fixture.Renew(token));
        Assert.IsType<LeaseReply.Granted>(_fixture.Acquire(Ask("next")));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Break_WhenTheHolderIsDead_LeavesTheEndWhereItWasAfterALoad(bool force)
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 3600, force);

        _fixture.Reload();
        _fixture.Advance(10);

        NotHolder(NotHolderReason.Expired, _fixture.Renew(token));
    }

    [Fact]
    public void Renew_WhenBreakingWithTimeLeft_IsBoundedAfterALoadAsBefore()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 60);
        _fixture.Advance(5);
        _fixture.Renew(token, ttl: 30);
        _fixture.Reload();

        _fixture.Renew(token, ttl: 300);

        Assert.Equal(Seconds(55), _fixture.Told(token));
        _fixture.Advance(55);
        NotHolder(NotHolderReason.Broken, _fixture.Renew(token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Break_WhenTheHolderLetsItExpire_StartsTheLockDelay(bool force)
    {
        _fixture.Grant(Ask("me", ttl: 10) with { LockDelay = Seconds(30) });
        _fixture.Break(null, grace: 60, force);
        _fixture.Advance(10);

        Refused<Refusal.Held>(_fixture.Acquire(Ask("next")));
        _fixture.Advance(30);
        Assert.IsType<LeaseReply.Granted>(_fixture.Acquire(Ask("next")));
    }

    [Fact]
    public void Renew_WhenBreaking_ExtendsNothing()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 0);
        _fixture.Advance(4);

        Assert.IsType<LeaseReply.Renewed>(_fixture.Renew(token, ttl: 100));
        Assert.Equal(Seconds(6), _fixture.Told(token));
    }

    [Fact]
    public void Break_WhenForcedWithoutNotice_EndsAndServesTheLineInOneWrite()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Wait(Ask("next"));

        Assert.Equal(TimeSpan.Zero, Ends(_fixture.Break(token, grace: 0, force: true)));

        Assert.Equal("next", Assert.Single(_fixture.State.Holders).Owner);
        Assert.Equal(
            [LeaseEventKind.Granted, LeaseEventKind.Breaking, LeaseEventKind.Broken, LeaseEventKind.Granted],
            _fixture.Stored.Log.NewestFirst().Reverse().Select(entry => entry.Kind));
        Assert.Equal(2, _fixture.Stored.Version);
        Assert.Equal("upkeep", _fixture.Stored.Log.NewestFirst().ElementAt(1).Reason);
    }

    [Fact]
    public void Break_WhenForcedDuringUnforced_EndsEarlier()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 60, id: "first");

        Assert.Equal(Seconds(2), Ends(_fixture.Break(token, grace: 2, force: true, id: "second")));
        Assert.Equal(Seconds(2), _fixture.Told(token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Break_WhenLongerThanTheOrderInForce_PutsNothingOff(bool force)
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 20, id: "first");

        Assert.Equal(Seconds(20), Ends(_fixture.Break(token, grace: 30, force: force, id: "second")));
        _fixture.Renew(token, ttl: 100);
        Assert.Equal(Seconds(20), _fixture.Told(token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Break_WhenShorterThanTheOrderInForce_EndsNoEarlierThanTold(bool force)
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 3600, force: force, id: "first");
        _fixture.Advance(5);
        _fixture.Renew(token, ttl: 20);

        Assert.Equal(Seconds(25), Ends(_fixture.Break(token, grace: 0, id: "second")));
        Assert.Equal(Seconds(20), _fixture.Told(token));
        _fixture.Renew(token, ttl: 100);
        Assert.Equal(Seconds(20), _fixture.Told(token));
    }

    [Fact]
    public void Break_WhenRepeated_AppliesOnceAndTellsTheSameEnd()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 20);
        _fixture.Advance(5);

        Assert.Equal(Seconds(20), Ends(_fixture.Break(token, grace: 20)));
        Assert.False(_fixture.Last.Durable);
        Assert.Equal(2, _fixture.State.Log.Last);

        _fixture.Advance(20);
        Assert.Equal(Seconds(25), Ends(_fixture.Break(token, grace: 20)));
    }

    [Fact]
    public void Break_WhenIdIsReusedWithOtherContent_Conflicts()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 20);

        Refused<Refusal.Conflict>(_fixture.Break(token, grace: 21));
        Refused<Refusal.Conflict>(_fixture.Break(token, grace: 20, force: true));
        Refused<Refusal.Conflict>(_fixture.Break(token, grace: 20, reason: "another"));
        _fixture.Renew(token, ttl: 100);
        Assert.Equal(Seconds(20), _fixture.Told(token));
    }

    [Fact]
    public void Break_WhenThereAreSeveralHolders_NeedsTheToken()
    {
        var first = _fixture.Grant(AskShared("a"));
        _fixture.Grant(AskShared("b"));

        Assert.Contains("token", Refused<Refusal.InvalidRequest>(_fixture.Break(null, grace: 0)).Errors.Keys);
        Assert.Equal(first, Assert.IsType<LeaseReply.Breaking>(_fixture.Break(first, grace: 0)).Token);
    }

    [Fact]
    public void Break_WhenNobodyHolds_SaysWhyTheLastEnded()
    {
        NotHolder(NotHolderReason.NeverHeld, _fixture.Break(null, grace: 0), last: 0);
        Assert.Contains($"'{Resource}'", _fixture.Last.Reply.Refusal!.Detail, StringComparison.Ordinal);
        var token = _fixture.Grant();
        _fixture.Release(token);

        NotHolder(NotHolderReason.Released, _fixture.Break(null, grace: 0), last: token);
        // A newer record may have a holder.
        Assert.True(_fixture.Last.RequiresFreshRead);
    }

    [Fact]
    public void Break_WhenInherited_EndsNoEarlierThanAnotherActivationMayHaveTold()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(1);
        _fixture.Renew(token);
        _fixture.Reload("b");

        // The horizon lies 20 s ahead, by a clock that may be 1 s behind.
        Assert.Equal(Seconds(20 + 1), Ends(_fixture.Break(token, grace: 0)));
    }

    [Fact]
    public void Break_WhenInheritedAndLoadedAgain_KeepsItsEnd()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Advance(1);
        _fixture.Renew(token);
        _fixture.Reload("b");
        var latest = Ends(_fixture.Break(token, grace: 0)) - _fixture.Clock.Read().Monotonic;

        _fixture.Reload();
        _fixture.Time.Advance(latest - TimeSpan.FromTicks(1));
        _fixture.Tick();

        Assert.Single(_fixture.State.Holders);
        _fixture.Time.Advance(TimeSpan.FromMilliseconds(1));
        _fixture.Tick();
        Assert.Empty(_fixture.State.Holders);
    }

    [Fact]
    public void Break_WhenLoadedByAnotherIncarnation_IsWaitedOutWithTheSkew()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 20);
        _fixture.Renew(token, ttl: 100);
        _fixture.Reload("b");

        _fixture.Time.Advance(Seconds(21) - TimeSpan.FromTicks(1));
        _fixture.Tick();
        Assert.Single(_fixture.State.Holders);
        _fixture.Time.Advance(TimeSpan.FromTicks(1));
        NotHolder(NotHolderReason.Broken, _fixture.Renew(token));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3600)]
    public void Break_ByForce_EndsAfterALoadWhenItWasTo_WhateverTheWallSaid(double ahead)
    {
        var token = _fixture.Grant(ttl: 100);
        _fixture.Advance(5);
        _fixture.Time.StepWall(Seconds(ahead));
        _fixture.Break(token, grace: 20, force: true);
        _fixture.Time.StepWall(-Seconds(ahead));
        _fixture.Reload();

        _fixture.Time.Advance(Seconds(20) - TimeSpan.FromTicks(1));
        _fixture.Tick();
        Assert.Single(_fixture.State.Holders);
        _fixture.Time.Advance(TimeSpan.FromTicks(1));
        NotHolder(NotHolderReason.Broken, _fixture.Renew(token));
    }

    // Moved, it would move the end of the order by the skew with every incarnation that renews.
    [Fact]
    public void Renew_AtAnOrdersEnd_LeavesTheHorizonOfAnotherIncarnation()
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 15);
        _fixture.Renew(token, ttl: 100);
        var before = _fixture.Stored.Holders[0];
        _fixture.Reload("b");

        _fixture.Renew(token, ttl: 100);

        Assert.Equal(
            (before.Horizon, before.HorizonBy), (_fixture.Stored.Holders[0].Horizon, _fixture.Stored.Holders[0].HorizonBy));
    }

    // An order without force ends nothing that may have been told; the holder that did not renew let it expire.
    [Theory]
    [InlineData(false, NotHolderReason.Expired)]
    [InlineData(true, NotHolderReason.Broken)]
    public void Break_BetweenTheDeadlineAndWhatAnotherClockMayHavePromised_EndsItByForceOnly(bool force, NotHolderReason reason)
    {
        var token = _fixture.Grant(ttl: 10);
        _fixture.Break(token, grace: 10.5, force);
        _fixture.Reload("b");

        _fixture.Advance(11);

        NotHolder(reason, _fixture.Renew(token));
    }

    private static TimeSpan Ends(LeaseReply reply) => Assert.IsType<LeaseReply.Breaking>(reply).Ends;
}
