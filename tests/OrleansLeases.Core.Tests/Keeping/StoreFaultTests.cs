using static OrleansLeases.Core.Tests.KeeperBench;
using static OrleansLeases.Core.Tests.MachineBench;

namespace OrleansLeases.Core.Tests;

/// <summary>I2, I3 and I7 whatever the store does.</summary>
public sealed class StoreFaultTests
{
    private readonly KeeperBench _bench = new();

    [Fact]
    public void Acquire_WhenTheStoreThrowsBeforeTheWrite_IsUnknownAndARepeatAppliesAfresh()
    {
        _bench.Store.OnSave(_ => throw new IOException("before"));

        Assert.Equal("by me", Now<Refusal.OutcomeUnknown>(_bench.Acquire(Ask())).RequestId);
        Assert.Equal(LeaseState.Unused.Version, _bench.Stored.Version);

        var grant = Now<LeaseGrant>(_bench.Acquire(Ask()));
        Assert.Equal((1, false), (grant.Token, grant.Replayed));
    }

    [Fact]
    public void Acquire_WhenTheStoreThrowsAfterTheWrite_IsUnknownAndARepeatIsTheSameGrant()
    {
        _bench.Store.OnSave(WriteAndThrow);
        Now<Refusal.OutcomeUnknown>(_bench.Acquire(Ask()));
        _bench.Advance(4);

        var grant = Now<LeaseGrant>(_bench.Acquire(Ask()));

        Assert.Equal((1, true), (grant.Token, grant.Replayed));
        Assert.True(grant.Remaining <= Seconds(6));
        Assert.Equal(1, _bench.Stored.LastToken);
    }

    [Theory]
    [InlineData("transfer")]
    [InlineData("break")]
    [InlineData("renew")]
    [InlineData("release")]
    public void Verbs_WhenTheStoreThrowsAfterTheWrite_ApplyOnce(string verb)
    {
        var token = _bench.Grant().Token;
        _bench.Advance(1);
        _bench.Store.OnSave(WriteAndThrow);

        var unknown = Now<Refusal.OutcomeUnknown>(Do());
        Assert.Equal(verb is "renew" or "release" ? null : verb, unknown.RequestId);
        var sequence = _bench.Stored.Log.Last;
        switch (Now<object>(Do()))
        {
            case LeaseGrant grant:
                Assert.Equal((token + 1, true), (grant.Token, grant.Replayed));
                break;
            case LeaseBreak order:
                Assert.Equal(token, order.Token);
                break;
            case LeaseRelease release:
                Assert.True(release.Replayed);
                break;
            case var answer:
                Assert.Equal(token, Assert.IsType<LeaseRenewal>(answer).Token);
                break;
        }

        Assert.Equal(sequence, _bench.Stored.Log.Last);

        Task Do() => verb switch
        {
            "transfer" => _bench.Do(LeaseCommand.Of(new TransferRequest { Resource = MachineBench.Resource, Owner = "me", Token = token, NewOwner = "you", RequestId = "transfer" })),
            "break" => _bench.Break(token, grace: 60),
            "renew" => _bench.Renew(token),
            _ => _bench.Release(token),
        };
    }

    [Fact]
    public void Acquire_WhenTheWriteLandsAfterTheKeeperLoadedAgain_NeverGrantsTwice()
    {
        ScriptedStore.SaveCall? late = null;
        _bench.Store.OnSave(call =>
        {
            late = call;
            throw new IOException("no answer");
        });
        Now<Refusal.OutcomeUnknown>(_bench.Acquire(Ask()));
        // The keeper loads again and sees nothing of it; then the write lands.
        Assert.Equal(LeaseStatus.Free, _bench.Info().State);
        Assert.Equal(SaveOutcome.Saved, late!.Write());

        var grant = Now<LeaseGrant>(_bench.Acquire(Ask()));
        Assert.Equal((1, true), (grant.Token, grant.Replayed));
        Now<Refusal.Held>(_bench.Acquire(Ask("other")));
    }

    [Fact]
    public void Acquire_WhenTheLateWriteComesAfterAnother_IsLost()
    {
        ScriptedStore.SaveCall? late = null;
        _bench.Store.OnSave(call =>
        {
            late = call;
            throw new IOException("no answer");
        });
        Now<Refusal.OutcomeUnknown>(_bench.Acquire(Ask()));
        var other = _bench.Grant("other");

        Assert.Equal(SaveOutcome.Conflict, late!.Write());

        Assert.Equal(other.Token, Assert.Single(_bench.Stored.Holders).Token);
        Now<Refusal.Held>(_bench.Acquire(Ask()));
    }

    [Fact]
    public void Renew_WhenALateExpiryMayStillLand_IsClaimedBeforeItIsTold()
    {
        // The horizon outlives the deadline; the expiry's write is lost on the way, and the keeper loads the old record.
        var token = _bench.Grant().Token;
        _bench.Advance(1);
        Now<LeaseRenewal>(_bench.Renew(token));
        _bench.AlarmsRing = false;
        _bench.Advance(10);
        ScriptedStore.SaveCall? late = null;
        _bench.Store.OnSave(call =>
        {
            late = call;
            throw new IOException("no answer");
        });
        Now<Refusal.OutcomeUnknown>(_bench.Acquire(Ask("other")));

        // It lands just before the holder shows up again, with the other's grant in it.
        _bench.Store.OnSave(call =>
        {
            Assert.Equal(SaveOutcome.Saved, late!.Write());
            return call.Write();
        });
        Assert.Equal(NotHolderReason.Expired, Now<Refusal.NotHolder>(_bench.Renew(token)).Reason);
        Assert.Equal("other", Assert.Single(_bench.Stored.Holders).Owner);
    }

    [Theory]
    [InlineData(4, 6)]
    [InlineData(9.999, 0.001)]
    public void Acquire_WhenTheWriteIsSlow_TellsWhatIsLeft(double slow, double left)
    {
        SlowSave(slow);

        var grant = _bench.Grant(ttl: 10);

        Assert.Equal((Seconds(left), Seconds(slow)), (grant.Remaining, grant.Elapsed));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(3600)]
    public void Acquire_WhenTheWriteOutlastsTheTtl_SaysExpiredAndStoresIt(double slow)
    {
        SlowSave(slow);

        Assert.Equal(NotHolderReason.Expired, Now<Refusal.NotHolder>(_bench.Acquire(Ask())).Reason);
        Assert.Empty(_bench.Stored.Holders);
        Assert.Equal(2, _bench.Stored.Log.Last);
    }

    [Fact]
    public void Renew_WhenTheWriteOutlastsTheTtl_IsToldExpired()
    {
        var token = _bench.Grant().Token;
        _bench.Advance(1);
        SlowSave(11);

        Assert.Equal(NotHolderReason.Expired, Now<Refusal.NotHolder>(_bench.Renew(token)).Reason);
    }

    // The write that records its end loses to another activation, and then nothing can be read.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Change_ThatIsStoredAndOver_WhenItsEndIsNotStored_IsUnknown(bool breaks)
    {
        _bench.AlarmsRing = false;
        if (breaks) _bench.Grant();
        SlowSave(30);
        _bench.Store.OnSave(_ => SaveOutcome.Conflict);
        if (!breaks) _bench.Store.OnLoad(call => call.Read());
        _bench.Store.OnLoad(_ => throw new IOException("away"));

        Now<Refusal.OutcomeUnknown>(breaks ? _bench.Break(null, grace: 0) : _bench.Acquire(Ask()));
    }

    [Fact]
    public void Line_WhenTheWriteOutlastsTheTtlAndTheEndIsNotStored_TheWaiterIsToldUnknown()
    {
        _bench.AlarmsRing = false;
        var held = _bench.Grant(ttl: 60).Token;
        var waits = _bench.Acquire(Ask("other", ttl: 1) with { Wait = Seconds(20) });
        SlowSave(2);
        _bench.Store.OnSave(_ => SaveOutcome.NotSaved);

        Now<LeaseRelease>(_bench.Release(held));

        Now<Refusal.OutcomeUnknown>(waits);
    }

    [Fact]
    public void Line_WhenTheWriteOutlastsTheTtl_TheWaiterIsToldExpired()
    {
        var held = _bench.Grant(ttl: 60).Token;
        var waits = _bench.Acquire(Ask("other", ttl: 1) with { Wait = Seconds(20) });
        SlowSave(2);

        Now<LeaseRelease>(_bench.Release(held));

        Assert.Equal(NotHolderReason.Expired, Now<Refusal.NotHolder>(waits).Reason);
    }

    [Fact]
    public void Acquire_WhenTheCompareAndSwapIsLostOnce_LooksAgain()
    {
        _bench.Info();
        _bench.Store.OnSave(call =>
        {
            new KeeperBench(NewRules("twin"), _bench.Store, _bench.Time).Grant("other");
            return call.Write();
        });

        Assert.Equal("other", Assert.Single(Now<Refusal.Held>(_bench.Acquire(Ask())).Holders).Owner);
        Assert.Equal(1, _bench.Stored.LastToken);
    }

    [Fact]
    public void Acquire_WhenTheCompareAndSwapIsLostTwice_IsUnavailableAndNothingChanged()
    {
        _bench.Store.OnSave(_ => SaveOutcome.Conflict);
        _bench.Store.OnSave(_ => SaveOutcome.Conflict);

        Now<Refusal.Unavailable>(_bench.Acquire(Ask()));
        Assert.Equal(2, _bench.Store.Saves);
        Assert.Equal(1, _bench.Grant().Token);
    }

    [Fact]
    public void Acquire_WhenCertainlyNotSaved_IsUnavailableAndNothingChanged()
    {
        _bench.Store.OnSave(_ => SaveOutcome.NotSaved);

        Now<Refusal.Unavailable>(_bench.Acquire(Ask()));

        Assert.Equal(LeaseStatus.Free, _bench.Info().State);
        Assert.Equal(1, _bench.Store.Loads);
        var grant = _bench.Grant();
        Assert.Equal((1, false), (grant.Token, grant.Replayed));
    }

    [Fact]
    public void Renew_WhenNotSaved_LeavesTheOldDeadline()
    {
        var token = _bench.Grant().Token;
        _bench.Advance(1);
        _bench.Store.OnSave(_ => SaveOutcome.NotSaved);
        Now<Refusal.Unavailable>(_bench.Renew(token));

        _bench.Advance(9);
        Now<LeaseGrant>(_bench.Acquire(Ask("other")));
    }

    [Fact]
    public void Get_WhenTheExpiryCannotBeStored_DoesNotTellIt()
    {
        _bench.AlarmsRing = false;
        _bench.Grant();
        _bench.Advance(10);
        _bench.Store.OnSave(_ => SaveOutcome.NotSaved);

        Now<Refusal.Unavailable>(_bench.Keeper.Submit(new LeaseCommand.Get(Fresh: false))!);
        Assert.Equal(LeaseStatus.Free, _bench.Info().State);
        Assert.Empty(_bench.Stored.Holders);
    }

    [Fact]
    public void Line_WhenTheGrantsOutcomeIsUnknown_TheWaiterIsToldSo()
    {
        var held = _bench.Grant(ttl: 60).Token;
        var waits = _bench.Acquire(Ask("other") with { Wait = Seconds(20) });
        _bench.Store.OnSave(WriteAndThrow);

        Now<Refusal.OutcomeUnknown>(_bench.Release(held));
        Assert.Equal("by other", Now<Refusal.OutcomeUnknown>(waits).RequestId);
        Assert.Equal((held + 1, true), (_bench.Grant("other").Token, _bench.Grant("other").Replayed));
        Assert.True(Now<LeaseRelease>(_bench.Release(held)).Replayed);
    }

    [Fact]
    public void Line_WhenTheStoreRefusedOnce_IsServedWithoutAnotherCall()
    {
        _bench.Grant(ttl: 3);
        var waits = _bench.Acquire(Ask("other") with { Wait = Seconds(20) });
        _bench.Store.OnSave(_ => SaveOutcome.NotSaved);

        _bench.Advance(4);

        Now<LeaseGrant>(waits);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Line_WhenTheStoreIsDown_WaitsEndOnTime(bool loadsFail)
    {
        var token = _bench.Grant(ttl: 3).Token;
        var waits = _bench.Acquire(Ask("other") with { Wait = Seconds(5) });
        _bench.Store.EverySave = _ => loadsFail ? throw new IOException("down") : SaveOutcome.NotSaved;
        _bench.Store.EveryLoad = call => loadsFail ? throw new IOException("down") : call.Read();
        _bench.Advance(1);
        Now<Refusal>(_bench.Renew(token));

        _bench.Advance(4);

        Now<Refusal>(waits);
    }

    [Fact]
    public void Line_WhenTheStoreHangs_WaitsEndASecondLate()
    {
        var token = _bench.Grant(ttl: 60).Token;
        var waits = _bench.Acquire(Ask("other") with { Wait = Seconds(5) });
        _bench.Store.Hold = true;
        var hangs = _bench.Release(token);

        // The turn that hangs may be storing the very grant that is waited for, as it is here.
        _bench.Advance(5.999);
        Assert.False(waits.IsCompleted);
        _bench.Advance(0.001);

        Assert.False(hangs.IsCompleted);
        Now<Refusal>(waits);
    }

    [Fact]
    public void Load_WhenItFails_IsUnavailableAndTheNextCallLoads()
    {
        _bench.Store.OnLoad(_ => throw new IOException("a secret of the store"));

        var detail = Now<Refusal.Unavailable>(_bench.Acquire(Ask())).Detail;
        Assert.Contains("could not be read; the log says why, under 1.", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", detail, StringComparison.Ordinal);
        Assert.Contains("secret", Assert.Single(_bench.Failures), StringComparison.Ordinal);
        Assert.Equal(0, _bench.Store.Saves);
        Assert.Equal(1, _bench.Grant().Token);
    }

    [Fact]
    public void Keeper_WhenItForgot_NeverGrantsBeforeTheHorizon()
    {
        var token = _bench.Grant().Token;
        _bench.Advance(1);
        Now<LeaseRenewal>(_bench.Renew(token));
        _bench.Forget();

        Now<Refusal.Held>(_bench.Acquire(Ask("other", id: "early")));
        _bench.Advance(19.999);
        Now<Refusal.Held>(_bench.Acquire(Ask("other", id: "later")));
        _bench.Advance(0.001);
        Assert.Equal(token + 1, _bench.Grant("other").Token);
    }

    private static SaveOutcome WriteAndThrow(ScriptedStore.SaveCall call)
    {
        Assert.Equal(SaveOutcome.Saved, call.Write());
        throw new IOException("after");
    }

    private void SlowSave(double seconds) => _bench.Store.OnSave(call =>
    {
        _bench.Time.Advance(Seconds(seconds));
        return call.Write();
    });
}
