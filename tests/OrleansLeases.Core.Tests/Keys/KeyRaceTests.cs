using static OrleansLeases.Core.Tests.KeyAnswers;

namespace OrleansLeases.Core.Tests;

/// <summary>The races between a key and its lease, by name and in every order.</summary>
public sealed class KeyRaceTests
{
    private const string R = "orders/42";
    private const string K = "workers/7";

    private readonly KeyWorld _world = new();

    [Fact]
    public void Put_WhenNothingHappensBetween_ReadsAttachesAndWrites()
    {
        var lease = Grant();
        var put = Put("up", lease);

        _world.Pass<KeyCommand.Put>();
        _world.Pass<LeaseCommand.Attach>();
        Assert.Null(_world.Store.Key(K).Value);
        _world.Pass<KeyCommand.Put>();

        Assert.Equal(1, Result(put).Value.Version);
        Assert.Equal(0, _world.Store.Lease(R).Holders.Single().Keys![K]);
        Assert.Empty(_world.Asks);
    }

    [Fact]
    public void Put_WhenTheKeyIsBoundToThisLeaseAlready_WritesNothingAtTheLease()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        var version = _world.Store.Lease(R).Version;

        Settled(Put("still up", lease));

        Assert.Equal(version, _world.Store.Lease(R).Version);
    }

    [Fact]
    public void Attach_WhenTheLeaseEndsFirst_IsRefused()
    {
        var lease = Grant();
        var put = Put("up", lease);
        _world.Pass<KeyCommand.Put>();
        var attach = _world.Asks.Single();

        Release(lease);
        attach.Start();
        _world.Store.AnswerAll();
        attach.Deliver();

        Assert.IsType<Refusal.NotHolder>(Result(put).Refusal);
        Assert.Null(_world.Store.Lease(R).Pending);
    }

    [Fact]
    public void Attach_WhileTheLeaseEnds_IsCleanedUp()
    {
        var lease = Grant();
        var put = Put("up", lease);
        _world.Pass<KeyCommand.Put>();
        var attach = _world.Start<LeaseCommand.Attach>();
        // The end waits in the lease's line of turns behind the attach, and overtakes its answer.
        var release = _world.Lease(R, ReleaseOf(lease));
        _world.Store.AnswerAll();
        Now<LeaseRelease>(release);
        Assert.Equal(K, Assert.Single(Assert.Single(_world.Store.Lease(R).Pending!).Keys));
        attach.Deliver();
        _world.Pass<KeyCommand.Put>();

        Assert.Equal(1, Result(put).Value.Version);
        Assert.IsType<Refusal.NotFound>(Get().Refusal);
        Assert.True(_world.CleanOne());
        Assert.Null(_world.Store.Key(K).Value);
        Assert.Null(_world.Store.Lease(R).Pending);
    }

    [Fact]
    public void Clean_BeforeThePutItIsAbout_MakesItLose()
    {
        var lease = Grant();
        var put = Put("up", lease);
        _world.Pass<KeyCommand.Put>();
        _world.Pass<LeaseCommand.Attach>();
        Release(lease);
        Assert.True(_world.CleanOne());
        Assert.Equal((1, null), (_world.Store.Key(K).Version, _world.Store.Key(K).Value));
        Assert.Null(_world.Store.Lease(R).Pending);

        _world.Settle();

        Assert.IsType<Refusal.NotHolder>(Result(put).Refusal);
        Assert.Null(_world.Store.Key(K).Value);
    }

    [Fact]
    public void Clean_WhileThePutIsBeingStored_TakesItAway()
    {
        var lease = Grant();
        var put = Put("up", lease);
        _world.Pass<KeyCommand.Put>();
        _world.Pass<LeaseCommand.Attach>();
        Release(lease);
        var write = _world.Start<KeyCommand.Put>();
        var clean = _world.Key(K, new KeyCommand.Clean(R, lease.Token));
        _world.Store.AnswerAll();
        write.Deliver();

        Assert.Null(Result(put).Refusal);
        Now<KeyReply.Cleaned>(clean);
        Assert.Null(_world.Store.Key(K).Value);
    }

    [Fact]
    public void Clean_WhenItComesTwice_ChangesNothingThatIsNot()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        Release(lease);
        _world.CleanOne();
        Settled(Put("free", null));

        var again = _world.Key(K, new KeyCommand.Clean(R, lease.Token));
        _world.Settle();

        Now<KeyReply.Cleaned>(again);
        Assert.Equal("free", Get().Value.Value);
        Assert.Equal(3, Get().Value.Version);
    }

    [Fact]
    public void Insert_ThatLandsAfterAnAcknowledgedCleanUp_Loses()
    {
        var lease = Grant();
        _ = Put("up", lease);
        _world.Pass<KeyCommand.Put>();
        _world.Pass<LeaseCommand.Attach>();
        _world.Start<KeyCommand.Put>();
        // The host dies while the insert is on its way to the disk.
        Assert.True(Assert.Single(_world.Store.Held).IsWrite);
        _world.Crash();
        Release(lease);
        _world.Settle();
        while (_world.CleanOne()) _world.Settle();
        Assert.Null(_world.Store.Lease(R).Pending);

        _world.Store.LandStray(0);

        Assert.Null(_world.Store.Key(K).Value);
        Assert.IsType<Refusal.NotFound>(Get().Refusal);
    }

    [Fact]
    public void Write_WhoseOutcomeIsUnknown_IsFoundByItsRequestId()
    {
        var lease = Grant();
        var put = Put("up", lease, "once");
        _world.Pass<KeyCommand.Put>();
        _world.Pass<LeaseCommand.Attach>();
        var write = _world.Start<KeyCommand.Put>();
        _world.Store.Held.Single().Land();
        _world.Store.Held.Single().Fail(mayLandYet: false);
        write.Deliver();
        Assert.Equal("once", Assert.IsType<Refusal.OutcomeUnknown>(Result(put).Refusal).RequestId);

        Assert.Equal(1, Settled(Put("up", lease, "once")).Value.Version);
        Assert.Equal(1, _world.Store.Key(K).Revision);
    }

    [Fact]
    public void Attach_WhoseOutcomeIsUnknown_IsToldWithTheRequestIdOfThePut()
    {
        var lease = Grant();
        var put = Put("up", lease, "once");
        _world.Pass<KeyCommand.Put>();
        var attach = _world.Start<LeaseCommand.Attach>();
        _world.Store.Held.Single().Fail(mayLandYet: true);
        attach.Deliver();
        Assert.Equal("once", Assert.IsType<Refusal.OutcomeUnknown>(Result(put).Refusal).RequestId);

        Assert.Equal(1, Settled(Put("up", lease, "once")).Value.Version);
    }

    [Fact]
    public void Lease_ThatDoesNotAnswerInTime_IsUnavailable()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        var get = _world.Calls.GetAsync(K);
        _world.Pass<KeyCommand.Get>();
        Assert.Single(_world.Asks);

        _world.Time.Advance(KeyOperations.LeaseTimeout);

        Assert.IsType<Refusal.Unavailable>(Result(get).Refusal);
    }

    [Fact]
    public void Get_WhenTheKeyIsPutFreeWhileItsLeaseEnds_IsNeverAbsent()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        var get = _world.Calls.GetAsync(K);
        _world.Pass<KeyCommand.Get>();
        var put = Put("free", null);
        _world.Pass<KeyCommand.Put>();
        _world.Pass(_world.Asks[^1]);
        _world.Pass<KeyCommand.Put>();
        Assert.Null(Result(put).Refusal);
        Release(lease);

        _world.Settle();

        // It was there all the time, first bound and then free.
        Assert.Equal("free", Result(get).Value.Value);
    }

    [Fact]
    public void Unbind_ThatIsLateWithItsMessage_DoesNotDetachALaterPut()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        var delete = _world.Calls.DeleteAsync(K, null);
        _world.Pass<KeyCommand.Delete>();
        _world.Pass<LeaseCommand.GetActiveTokens>();
        _world.Pass<KeyCommand.Delete>();
        Assert.True(Result(delete).Value.Existed);
        var detach = Assert.Single(_world.Asks);
        Assert.IsType<LeaseCommand.Detach>(detach.Command);

        var put = Put("again", lease);
        _world.Pass<KeyCommand.Put>();
        _world.Pass<LeaseCommand.Attach>();
        detach.Start();
        _world.Store.AnswerAll();
        detach.Deliver();
        _world.Pass<KeyCommand.Put>();

        Assert.Null(Result(put).Refusal);
        Release(lease);
        Assert.True(_world.CleanOne());
        Assert.Null(_world.Store.Key(K).Value);
    }

    [Fact]
    public void Unbind_Detaches()
    {
        var lease = Grant();
        Settled(Put("up", lease));

        Settled(Put("free", null));
        _world.Settle();

        Assert.Null(_world.Store.Lease(R).Holders.Single().Keys);
        Release(lease);
        Assert.Empty(_world.CleanUps);
        Assert.Equal("free", Get().Value.Value);
    }

    [Fact]
    public void Transfer_EndsTheKeysOfTheOldToken()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        var transfer = _world.Lease(
            R,
            LeaseCommand.Of(
                new TransferRequest { Resource = R, Owner = lease.Owner, Token = lease.Token, NewOwner = "heir", RequestId = "t" }));
        _world.Store.AnswerAll();
        var heir = Now<LeaseGrant>(transfer);

        Assert.IsType<Refusal.NotFound>(Get().Refusal);
        Assert.Null(_world.Store.Lease(R).Holders.Single().Keys);
        Settled(Put("of the heir", new KeyLease { Resource = R, Owner = "heir", Token = heir.Token }));
        while (_world.CleanOne()) _world.Settle();
        Assert.Equal("of the heir", Get().Value.Value);
    }

    [Fact]
    public void Add_ToAHotBoundCounter_DoesNotAskAgainForOthersAdditions()
    {
        var lease = Grant();
        Settled(_world.Calls.AddAsync(K, new AddToCounterRequest { Delta = 1, Lease = lease, RequestId = "first" }));
        var first = _world.Calls.AddAsync(K, new AddToCounterRequest { Delta = 1, Lease = lease, RequestId = "a" });
        _world.Pass<KeyCommand.Add>();
        _world.Pass<LeaseCommand.Attach>();
        var waiting = _world.Asks.Single();
        var other = _world.Calls.AddAsync(K, new AddToCounterRequest { Delta = 5, RequestId = "b" });
        for (var i = 0; i < 3; i++) _world.Pass(_world.Asks[^1]);
        Assert.Equal(6, Result(other).Value.Value);

        _world.Pass(waiting);

        Assert.Equal(7, Result(first).Value.Value);
    }

    // Where every step of a put and its clean-up can be cut off: everything but the store is gone then.
    [Fact]
    public void Crash_AtAnyStep_LeavesNothingBehind()
    {
        for (var steps = 0; ; steps++)
        {
            var world = new KeyWorld();
            var done = RunAndCrash(world, steps);
            world.Settle();
            // As after a restart: the lease is over at the latest when its time is.
            world.Time.Advance(TimeSpan.FromMinutes(5));
            for (var i = 0; i < 10; i++)
            {
                world.Sweep();
                world.Settle();
                while (world.CleanOne()) world.Settle();
                world.Store.LandStray(i);
            }

            Assert.Null(world.Store.Key(K).Value);
            Assert.Null(world.Store.Lease(R).Pending);
            Assert.Empty(world.Store.Lease(R).Holders);
            if (done)
            {
                Assert.InRange(steps, 10, 100);
                return;
            }
        }
    }

    /// <summary>A grant, a put, the release and the clean-up, cut off after so many steps; true where it came to its end.</summary>
    private static bool RunAndCrash(KeyWorld world, int steps)
    {
        Task? grant = null, release = null;
        Task<LeaseResult<KeyPut>>? put = null;
        KeyLease? lease = null;
        for (var i = 0; i < steps; i++)
        {
            if (world.Store.Held.Count > 0)
            {
                // Half a step: on disk, but nobody has heard.
                if (i + 1 == steps && steps % 2 == 0) world.Store.Held[0].Land();
                else world.Store.Held[0].Answer();
            }
            else if (world.Asks.Find(ask => !ask.IsStarted) is { } next) next.Start();
            else if (world.Asks.Find(ask => ask.IsAnswered) is { } answered) answered.Deliver();
            else if (grant is null) grant = world.Lease(R, LeaseCommand.Of(MachineFixture.Ask("me") with { Resource = R }));
            else if (put is null)
            {
                lease = new KeyLease { Resource = R, Owner = "me", Token = Now<LeaseGrant>(grant).Token };
                put = world.Calls.PutAsync(K, new PutKeyRequest { Value = "up", Lease = lease, RequestId = "once" });
            }
            else if (release is null) release = world.Lease(R, ReleaseOf(lease!));
            else if (world.CleanUps is [var (resource, ended)] && ended.Token > 0)
            {
                world.CleanUps.Clear();
                _ = CleanAsync(world, resource, ended);
            }
            else
            {
                world.Crash();
                return true;
            }
        }

        world.Crash();
        return false;
    }

    private static async Task CleanAsync(KeyWorld world, string resource, PendingCleanUp ended)
    {
        foreach (var key in ended.Keys) await world.AskKeyAsync(key, new KeyCommand.Clean(resource, ended.Token));
        await world.AskLeaseAsync(resource, new LeaseCommand.CleanUpDone(ended.Token, ended.Keys));
    }

    private KeyLease Grant()
    {
        var answer = _world.Lease(R, LeaseCommand.Of(MachineFixture.Ask("me") with { Resource = R }));
        _world.Store.AnswerAll();
        return new KeyLease { Resource = R, Owner = "me", Token = Now<LeaseGrant>(answer).Token };
    }

    private static LeaseCommand<LeaseRelease> ReleaseOf(KeyLease lease) =>
        LeaseCommand.Of(new ReleaseRequest { Resource = lease.Resource, Owner = lease.Owner, Token = lease.Token });

    private void Release(KeyLease lease)
    {
        var answer = _world.Lease(R, ReleaseOf(lease));
        _world.Store.AnswerAll();
        Now<LeaseRelease>(answer);
    }

    private Task<LeaseResult<KeyPut>> Put(string value, KeyLease? lease, string? requestId = null) =>
        _world.Calls.PutAsync(K, new PutKeyRequest { Value = value, Lease = lease, RequestId = requestId ?? Guid.NewGuid().ToString("N") });

    private LeaseResult<KeyValue> Get()
    {
        var answer = _world.Calls.GetAsync(K);
        _world.Settle();
        return Result(answer);
    }

    private LeaseResult<T> Settled<T>(Task<LeaseResult<T>> answer)
        where T : class
    {
        _world.Settle();
        return Result(answer);
    }
}
