using OrleansLeases.Storage;
using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>I2, I3 and I7 whatever the store does.</summary>
public sealed class StoreFaultTests
{
    private readonly KeeperFixture _fixture = new();

    [Fact]
    public void Acquire_WhenTheStoreThrowsBeforeTheWrite_IsUnknownAndARepeatAppliesAfresh()
    {
        _fixture.Store.OnSave(_ => throw new IOException("before"));

        Assert.Equal("by me", Now<Refusal.OutcomeUnknown>(_fixture.Acquire(Ask())).RequestId);
        Assert.Equal(LeaseState.Unused.Version, _fixture.Stored.Version);

        var grant = Now<LeaseGrant>(_fixture.Acquire(Ask()));
        Assert.Equal((1, false), (grant.Token, grant.Replayed));
    }

    [Fact]
    public void Acquire_WhenTheStoreThrowsAfterTheWrite_IsUnknownAndARepeatIsTheSameGrant()
    {
        _fixture.Store.OnSave(WriteAndThrow);
        Now<Refusal.OutcomeUnknown>(_fixture.Acquire(Ask()));
        _fixture.Advance(4);

        var grant = Now<LeaseGrant>(_fixture.Acquire(Ask()));

        Assert.Equal((1, true), (grant.Token, grant.Replayed));
        Assert.True(grant.Remaining <= Seconds(6));
        Assert.Equal(1, _fixture.Stored.LastToken);
    }

    // A renewal in memory needs no save, which would show that the release was stored.
    [Fact]
    public void Renew_AfterAReleaseWhoseOutcomeIsOpen_IsNotToldFromMemory()
    {
        var token = _fixture.Grant().Token;
        _fixture.Advance(1);
        Now<LeaseRenewal>(_fixture.Renew(token));
        _fixture.Store.OnSave(WriteAndThrow);
        Now<Refusal.OutcomeUnknown>(_fixture.Release(token));

        Assert.Equal(NotHolderReason.Released, Now<Refusal.NotHolder>(_fixture.Renew(token)).Reason);
    }

    [Fact]
    public void Load_OfARecordOfTheWrongKind_DoesNotChangeWhatTheNextSaveComparesWith()
    {
        var store = new MisfilingStore(_fixture.Store.For("run"));
        var keeper = new LeaseKeeper(KeeperFixture.Resource, _fixture.Host, store);
        var token = Now<LeaseGrant>(keeper.Submit(LeaseCommand.Of(Ask()))!).Token;
        // Another keeper of the resource.
        Now<LeaseRelease>(_fixture.Release(token));
        Now<LeaseGrant>(_fixture.Acquire(Ask("other")));
        store.Misfiles = true;
        Now<Refusal.Unavailable>(keeper.Submit(new LeaseCommand.Get(Fresh: true))!);
        store.Misfiles = false;

        var broken = keeper.Submit(LeaseCommand.Of(new ReleaseRequest
        {
            Resource = KeeperFixture.Resource, Owner = "me", Token = token,
        }))!;

        Assert.True(Now<LeaseRelease>(broken).Replayed);
        Assert.Equal("other", Assert.Single(_fixture.Info(fresh: true).Holders).Owner);
    }

    [Theory]
    [InlineData("transfer")]
    [InlineData("break")]
    [InlineData("renew")]
    [InlineData("release")]
    public void Verbs_WhenTheStoreThrowsAfterTheWrite_ApplyOnce(string verb)
    {
        var token = _fixture.Grant().Token;
        _fixture.Advance(1);
        _fixture.Store.OnSave(WriteAndThrow);

        var unknown = Now<Refusal.OutcomeUnknown>(Do());
        Assert.Equal(verb is "renew" or "release" ? null : verb, unknown.RequestId);
        var sequence = _fixture.Stored.Log.Last;
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

        Assert.Equal(sequence, _fixture.Stored.Log.Last);

        Task Do() => verb switch
        {
            "transfer" =>
                _fixture.Do(
                    LeaseCommand.Of(
                        new TransferRequest
                        {
                            Resource = MachineFixture.Resource, Owner = "me", Token = token, NewOwner = "you", RequestId = "transfer",
                        })),
            "break" => _fixture.Break(token, grace: 60),
            "renew" => _fixture.Renew(token),
            _ => _fixture.Release(token),
        };
    }

    [Fact]
    public void Acquire_WhenTheWriteLandsAfterTheKeeperLoadedAgain_NeverGrantsTwice()
    {
        ScriptedStore.SaveCall? late = null;
        _fixture.Store.OnSave(call =>
        {
            late = call;
            throw new IOException("no answer");
        });
        Now<Refusal.OutcomeUnknown>(_fixture.Acquire(Ask()));
        // The keeper loads again and sees nothing of it; then the write lands.
        Assert.Equal(LeaseStatus.Free, _fixture.Info().State);
        Assert.Equal(SaveOutcome.Saved, late!.Write());

        var grant = Now<LeaseGrant>(_fixture.Acquire(Ask()));
        Assert.Equal((1, true), (grant.Token, grant.Replayed));
        Now<Refusal.Held>(_fixture.Acquire(Ask("other")));
    }

    [Fact]
    public void Acquire_WhenTheLateWriteComesAfterAnother_IsLost()
    {
        ScriptedStore.SaveCall? late = null;
        _fixture.Store.OnSave(call =>
        {
            late = call;
            throw new IOException("no answer");
        });
        Now<Refusal.OutcomeUnknown>(_fixture.Acquire(Ask()));
        var other = _fixture.Grant("other");

        Assert.Equal(SaveOutcome.Conflict, late!.Write());

        Assert.Equal(other.Token, Assert.Single(_fixture.Stored.Holders).Token);
        Now<Refusal.Held>(_fixture.Acquire(Ask()));
    }

    [Fact]
    public void Renew_WhenALateExpiryMayStillLand_IsClaimedBeforeItIsTold()
    {
        // The horizon outlives the deadline; the expiry's write is lost on the way, and the keeper loads the old record.
        var token = _fixture.Grant().Token;
        _fixture.Advance(1);
        Now<LeaseRenewal>(_fixture.Renew(token));
        _fixture.AlarmsRing = false;
        _fixture.Advance(10);
        ScriptedStore.SaveCall? late = null;
        _fixture.Store.OnSave(call =>
        {
            late = call;
            throw new IOException("no answer");
        });
        Now<Refusal.OutcomeUnknown>(_fixture.Acquire(Ask("other")));

        // It lands just before the holder shows up again, with the other's grant in it.
        _fixture.Store.OnSave(call =>
        {
            Assert.Equal(SaveOutcome.Saved, late!.Write());
            return call.Write();
        });
        Assert.Equal(NotHolderReason.Expired, Now<Refusal.NotHolder>(_fixture.Renew(token)).Reason);
        Assert.Equal("other", Assert.Single(_fixture.Stored.Holders).Owner);
    }

    [Theory]
    [InlineData(4, 6)]
    [InlineData(9.999, 0.001)]
    public void Acquire_WhenTheWriteIsSlow_TellsWhatIsLeft(double slow, double left)
    {
        SlowSave(slow);

        var grant = _fixture.Grant(ttl: 10);

        Assert.Equal((Seconds(left), Seconds(slow)), (grant.Remaining, grant.Elapsed));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(3600)]
    public void Acquire_WhenTheWriteOutlastsTheTtl_SaysExpiredAndStoresIt(double slow)
    {
        SlowSave(slow);

        Assert.Equal(NotHolderReason.Expired, Now<Refusal.NotHolder>(_fixture.Acquire(Ask())).Reason);
        Assert.Empty(_fixture.Stored.Holders);
        Assert.Equal(2, _fixture.Stored.Log.Last);
    }

    [Fact]
    public void Renew_WhenTheWriteOutlastsTheTtl_IsToldExpired()
    {
        var token = _fixture.Grant().Token;
        _fixture.Advance(1);
        SlowSave(11);

        Assert.Equal(NotHolderReason.Expired, Now<Refusal.NotHolder>(_fixture.Renew(token)).Reason);
    }

    // The write that records its end loses to another activation, and then nothing can be read.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Change_ThatIsStoredAndOver_WhenItsEndIsNotStored_IsUnknown(bool breaks)
    {
        _fixture.AlarmsRing = false;
        if (breaks) _fixture.Grant();
        SlowSave(30);
        _fixture.Store.OnSave(_ => SaveOutcome.Conflict);
        if (!breaks) _fixture.Store.OnLoad(call => call.Read());
        _fixture.Store.OnLoad(_ => throw new IOException("away"));

        Now<Refusal.OutcomeUnknown>(breaks ? _fixture.Break(null, grace: 0) : _fixture.Acquire(Ask()));
    }

    [Fact]
    public void Line_WhenTheWriteOutlastsTheTtlAndTheEndIsNotStored_TheWaiterIsToldUnknown()
    {
        _fixture.AlarmsRing = false;
        var held = _fixture.Grant(ttl: 60).Token;
        var waits = _fixture.Acquire(Ask("other", ttl: 1) with { Wait = Seconds(20) });
        SlowSave(2);
        _fixture.Store.OnSave(_ => SaveOutcome.NotSaved);

        Now<LeaseRelease>(_fixture.Release(held));

        Now<Refusal.OutcomeUnknown>(waits);
    }

    [Fact]
    public void Line_WhenTheWriteOutlastsTheTtl_TheWaiterIsToldExpired()
    {
        var held = _fixture.Grant(ttl: 60).Token;
        var waits = _fixture.Acquire(Ask("other", ttl: 1) with { Wait = Seconds(20) });
        SlowSave(2);

        Now<LeaseRelease>(_fixture.Release(held));

        Assert.Equal(NotHolderReason.Expired, Now<Refusal.NotHolder>(waits).Reason);
    }

    [Fact]
    public void Acquire_WhenTheCompareAndSwapIsLostOnce_LooksAgain()
    {
        _fixture.Info();
        _fixture.Store.OnSave(call =>
        {
            new KeeperFixture(NewRules("twin"), _fixture.Store, _fixture.Time).Grant("other");
            return call.Write();
        });

        Assert.Equal("other", Assert.Single(Now<Refusal.Held>(_fixture.Acquire(Ask())).Holders).Owner);
        Assert.Equal(1, _fixture.Stored.LastToken);
    }

    [Fact]
    public void Acquire_WhenTheCompareAndSwapIsLostTwice_IsUnavailableAndNothingChanged()
    {
        _fixture.Store.OnSave(_ => SaveOutcome.Conflict);
        _fixture.Store.OnSave(_ => SaveOutcome.Conflict);

        Now<Refusal.Unavailable>(_fixture.Acquire(Ask()));
        Assert.Equal((2, 2), (_fixture.Store.Saves, _fixture.Store.Loads));
        // Nor is what it knew believed any more.
        Assert.Equal(1, _fixture.Grant().Token);
        Assert.Equal(3, _fixture.Store.Loads);
    }

    [Fact]
    public void Acquire_WhenCertainlyNotSaved_IsUnavailableAndNothingChanged()
    {
        _fixture.Store.OnSave(_ => SaveOutcome.NotSaved);

        Now<Refusal.Unavailable>(_fixture.Acquire(Ask()));

        Assert.Equal(LeaseStatus.Free, _fixture.Info().State);
        Assert.Equal(1, _fixture.Store.Loads);
        var grant = _fixture.Grant();
        Assert.Equal((1, false), (grant.Token, grant.Replayed));
    }

    [Fact]
    public void Renew_WhenNotSaved_LeavesTheOldDeadline()
    {
        var token = _fixture.Grant().Token;
        _fixture.Advance(1);
        _fixture.Store.OnSave(_ => SaveOutcome.NotSaved);
        Now<Refusal.Unavailable>(_fixture.Renew(token));

        _fixture.Advance(9);
        Now<LeaseGrant>(_fixture.Acquire(Ask("other")));
    }

    [Fact]
    public void Get_WhenTheExpiryCannotBeStored_DoesNotTellIt()
    {
        _fixture.AlarmsRing = false;
        _fixture.Grant();
        _fixture.Advance(10);
        _fixture.Store.OnSave(_ => SaveOutcome.NotSaved);

        Now<Refusal.Unavailable>(_fixture.Keeper.Submit(new LeaseCommand.Get(Fresh: false))!);
        Assert.Equal(LeaseStatus.Free, _fixture.Info().State);
        Assert.Empty(_fixture.Stored.Holders);
    }

    [Fact]
    public void Line_WhenTheGrantsOutcomeIsUnknown_TheWaiterIsToldSo()
    {
        var held = _fixture.Grant(ttl: 60).Token;
        var waits = _fixture.Acquire(Ask("other") with { Wait = Seconds(20) });
        _fixture.Store.OnSave(WriteAndThrow);

        Now<Refusal.OutcomeUnknown>(_fixture.Release(held));
        Assert.Equal("by other", Now<Refusal.OutcomeUnknown>(waits).RequestId);
        Assert.Equal((held + 1, true), (_fixture.Grant("other").Token, _fixture.Grant("other").Replayed));
        Assert.True(Now<LeaseRelease>(_fixture.Release(held)).Replayed);
    }

    [Fact]
    public void Line_WhenTheStoreRefusedOnce_IsServedWithoutAnotherCall()
    {
        _fixture.Grant(ttl: 3);
        var waits = _fixture.Acquire(Ask("other") with { Wait = Seconds(20) });
        _fixture.Store.OnSave(_ => SaveOutcome.NotSaved);

        _fixture.Advance(4);

        Now<LeaseGrant>(waits);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Line_WhenTheStoreIsDown_WaitsEndOnTime(bool loadsFail)
    {
        var token = _fixture.Grant(ttl: 3).Token;
        var waits = _fixture.Acquire(Ask("other") with { Wait = Seconds(5) });
        _fixture.Store.EverySave = _ => loadsFail ? throw new IOException("down") : SaveOutcome.NotSaved;
        _fixture.Store.EveryLoad = call => loadsFail ? throw new IOException("down") : call.Read();
        _fixture.Advance(1);
        Now<Refusal>(_fixture.Renew(token));

        _fixture.Advance(4);

        Now<Refusal>(waits);
    }

    [Fact]
    public void Line_WhenTheStoreHangs_WaitsEndASecondLate()
    {
        var token = _fixture.Grant(ttl: 60).Token;
        var waits = _fixture.Acquire(Ask("other") with { Wait = Seconds(5) });
        _fixture.Store.Hold = true;
        var hangs = _fixture.Release(token);

        // The turn that hangs may be storing the very grant that is waited for, as it is here.
        _fixture.Advance(5.999);
        Assert.False(waits.IsCompleted);
        _fixture.Advance(0.001);

        Assert.False(hangs.IsCompleted);
        Now<Refusal>(waits);
    }

    [Fact]
    public void Line_WhenTheStoreHangsOnAnExpiry_WaitsEndASecondLate()
    {
        _fixture.Grant(ttl: 3);
        var waits = _fixture.Acquire(Ask("other") with { Wait = Seconds(5) });
        _fixture.Store.Hold = true;

        _fixture.Advance(5.999);
        Assert.False(waits.IsCompleted);
        _fixture.Advance(0.001);

        Now<Refusal.Held>(waits);
    }

    [Fact]
    public void Line_WhenTheStoreHangsOnTheVeryNextCall_WaitsEndASecondLate()
    {
        var token = _fixture.Grant(ttl: 60).Token;
        _fixture.Store.Hold = true;
        var read = _fixture.Do(new LeaseCommand.Get(Fresh: true));
        var waits = _fixture.Acquire(Ask("other") with { Wait = Seconds(5) });
        var hangs = _fixture.Release(token);
        _fixture.Store.Held[0].Complete();
        Now<LeaseInfo>(read);

        _fixture.Advance(6);

        Assert.False(hangs.IsCompleted);
        Now<Refusal.Held>(waits);
    }

    // Nobody's grant is being stored then.
    [Fact]
    public void Line_WhenTheStoreHangsOnceAWaitIsOver_EndsItOnTime()
    {
        var token = _fixture.Grant(ttl: 60).Token;
        var waits = _fixture.Acquire(Ask("other") with { Wait = Seconds(0.5) });
        _fixture.Store.OnSave(_ => throw new IOException("no answer"));
        Now<Refusal.OutcomeUnknown>(_fixture.Renew(token, ttl: 50));
        _fixture.Store.Hold = true;

        _fixture.Advance(0.5);

        Now<Refusal.Unavailable>(waits);
    }

    [Fact]
    public void Load_WhenItFails_IsUnavailableAndTheNextCallLoads()
    {
        _fixture.Store.OnLoad(_ => throw new IOException("a secret of the store"));

        var detail = Now<Refusal.Unavailable>(_fixture.Acquire(Ask())).Detail;
        Assert.Contains("could not be read; the log says why, under 1.", detail, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", detail, StringComparison.Ordinal);
        Assert.Contains("secret", Assert.Single(_fixture.Failures), StringComparison.Ordinal);
        Assert.Equal(0, _fixture.Store.Saves);
        Assert.Equal(1, _fixture.Grant().Token);
    }

    [Fact]
    public void Keeper_WhenItForgot_NeverGrantsBeforeTheHorizon()
    {
        var token = _fixture.Grant().Token;
        _fixture.Advance(1);
        Now<LeaseRenewal>(_fixture.Renew(token));
        _fixture.Forget();

        Now<Refusal.Held>(_fixture.Acquire(Ask("other", id: "early")));
        _fixture.Advance(19.999);
        Now<Refusal.Held>(_fixture.Acquire(Ask("other", id: "later")));
        _fixture.Advance(0.001);
        Assert.Equal(token + 1, _fixture.Grant("other").Token);
    }

    private static SaveOutcome WriteAndThrow(ScriptedStore.SaveCall call)
    {
        Assert.Equal(SaveOutcome.Saved, call.Write());
        throw new IOException("after");
    }

    private void SlowSave(double seconds) => _fixture.Store.OnSave(call =>
    {
        _fixture.Time.Advance(Seconds(seconds));
        return call.Write();
    });

    /// <summary>A store that returns a key of the same name and version where it is asked for a lease.</summary>
    private sealed class MisfilingStore(IRecordStore store) : IRecordStore
    {
        public bool Misfiles { get; set; }

        public bool IsDurable => store.IsDurable;

        public async ValueTask<StoredRecord> LoadAsync(RecordKind kind, string name)
        {
            var record = await store.LoadAsync(kind, name);
            return Misfiles ? new(RecordKind.Key, name, KeyState.Unused with { Version = record.Version }) : record;
        }

        // What was read says only which version to compare with.
        public ValueTask<SaveOutcome> SaveAsync(StoredRecord previous, StoredRecord next, bool background) => previous.Kind == next.Kind
            ? store.SaveAsync(previous, next, background)
            : store.SaveAsync(
                new(next.Kind, next.Name, next.Lease with { Version = previous.Version }),
                new(next.Kind, next.Name, next.Lease with { Version = previous.Version + 1 }),
                background);

        public IAsyncEnumerable<StoredRecord> RangeAsync(
            RecordKind kind, string from, bool heldOnly, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<DueRecord>> DueAsync(DueQuery query, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
