using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>The first write of a name on a store that needs no load before it.</summary>
public sealed class FirstWriteTests
{
    private readonly KeeperFixture _fixture = new(store: new ScriptedStore { CanAddOrLoad = true });

    [Fact]
    public void Acquire_OfAFreshName_IsOneSave_AndWhatFollowsBuildsOnIt()
    {
        var grant = _fixture.Grant();
        Assert.Equal((1, 0, 1), (grant.Token, _fixture.Store.Loads, _fixture.Store.Saves));

        // The write was the claim as well: a renewal in memory needs no other.
        Assert.Equal(1, Now<LeaseRenewal>(_fixture.Renew(1)).Token);
        Now<LeaseRelease>(_fixture.Release(1));
        Assert.Equal(2, _fixture.Grant(id: "again").Token);
        Assert.Equal((0, 3), (_fixture.Store.Loads, _fixture.Store.Saves));
    }

    [Fact]
    public void Acquire_OfANameThatHasARecord_AnswersByWhatIsThere()
    {
        _fixture.Grant("other");
        _fixture.Forget();

        Assert.Equal("other", Assert.Single(Now<Refusal.Held>(_fixture.Acquire(Ask())).Holders).Owner);
        Assert.Equal((0, 1), (_fixture.Store.Loads, _fixture.Stored.LastToken));

        Now<LeaseRelease>(_fixture.Release(1, "other"));
        _fixture.Forget();
        Assert.Equal(2, _fixture.Grant().Token);
        Assert.Equal(0, _fixture.Store.Loads);
    }

    [Fact]
    public void Acquire_UnderTheIdOfAnEarlierGrant_IsThatGrant()
    {
        _fixture.Grant();
        _fixture.Forget();
        var repeat = Now<LeaseGrant>(_fixture.Acquire(Ask()));
        Assert.Equal((1, true), (repeat.Token, repeat.Replayed));
        Assert.Equal(0, _fixture.Store.Loads);
    }

    [Fact]
    public void Acquire_OfAFreshName_IsDeliveredOnce()
    {
        var token = _fixture.Grant().Token;

        Assert.False(Now<LeaseRelease>(_fixture.Release(token, undelivered: true)).Replayed);
    }

    [Fact]
    public async Task Acquire_OfAFreshName_IsShownToThoseWhoWatchItsPrefix()
    {
        var prefixes = new PrefixWatchers();
        var fixture = new KeeperFixture(store: _fixture.Store, lends: host => host with { Prefixes = prefixes });
        await using var watch = prefixes.Start("").GetAsyncEnumerator();

        fixture.Grant();

        Assert.True(await watch.MoveNextAsync());
        Assert.Equal(LeaseEventKind.Granted, Assert.IsType<WatchEvent.LeaseChanged>(watch.Current).Lease.Kind);
    }

    [Fact]
    public void WhatStoresNothing_IsAnsweredByALoad()
    {
        Assert.Equal(LeaseStatus.Free, _fixture.Info().State);
        Assert.Equal((1, 0), (_fixture.Store.Loads, _fixture.Store.Saves));
        _fixture.Forget();
        Now<Refusal.NotHolder>(_fixture.Release(1));
        Assert.Equal((2, 0), (_fixture.Store.Loads, _fixture.Store.Saves));
    }

    [Fact]
    public void Acquire_ThatFindsARecordWhichCannotBeRead_LoadsItAndSaysWhy()
    {
        _fixture.Store.OnSave(_ => SaveOutcome.Conflict);
        _fixture.Store.OnLoad(_ => throw new IOException("damaged"));
        Now<Refusal.Unavailable>(_fixture.Acquire(Ask()));
        Assert.Equal(1, _fixture.Store.Loads);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Acquire_WhoseOutcomeIsOpen_IsUnknown_AndARepeatAppliesOnce(bool written)
    {
        _fixture.Store.OnSave(call =>
        {
            if (written) call.Write();
            throw new IOException("the cable");
        });
        Now<Refusal.OutcomeUnknown>(_fixture.Acquire(Ask()));

        var grant = Now<LeaseGrant>(_fixture.Acquire(Ask()));
        Assert.Equal((1, written), (grant.Token, grant.Replayed));
    }

    [Fact]
    public async Task Acquire_WhoseOutcomeIsOpen_EndsTheWatchesOfItsPrefix()
    {
        var prefixes = new PrefixWatchers();
        var fixture = new KeeperFixture(store: _fixture.Store, lends: host => host with { Prefixes = prefixes });
        var watch = prefixes.Start("").GetAsyncEnumerator();
        _fixture.Store.OnSave(call =>
        {
            call.Write();
            throw new IOException("the cable");
        });

        Now<Refusal.OutcomeUnknown>(fixture.Acquire(Ask()));

        var next = watch.MoveNextAsync();
        Assert.True(next.IsCompletedSuccessfully);
        Assert.False(await next);
    }

    [Fact]
    public void Acquire_ThatWasCertainlyNotStored_IsUnavailable_AndARepeatGrants()
    {
        _fixture.Store.OnSave(_ => SaveOutcome.NotSaved);
        Now<Refusal.Unavailable>(_fixture.Acquire(Ask()));
        Assert.Equal((1, 0), (_fixture.Store.Saves, _fixture.Stored.Version));
        Assert.Equal(1, _fixture.Grant().Token);
    }

    [Fact]
    public void Acquire_ThatTookLongerThanTheLease_SaysThatItIsOver()
    {
        _fixture.Store.OnSave(call =>
        {
            var outcome = call.Write();
            _fixture.Time.Advance(Seconds(20));
            return outcome;
        });
        Now<Refusal.NotHolder>(_fixture.Acquire(Ask()));
        Assert.Empty(_fixture.Stored.Holders);
        Assert.Equal(1, _fixture.Stored.LastToken);
    }

    [Fact]
    public void Acquire_ThatTookLongerThanTheLease_WhoseEndIsNotStored_IsUnknown()
    {
        _fixture.Store.OnSave(call =>
        {
            var outcome = call.Write();
            _fixture.Time.Advance(Seconds(20));
            return outcome;
        });
        _fixture.Store.OnSave(_ => SaveOutcome.NotSaved);

        Now<Refusal.OutcomeUnknown>(_fixture.Acquire(Ask()));
    }
}
