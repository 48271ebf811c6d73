using static OrleansLeases.Core.Tests.KeyAnswers;

namespace OrleansLeases.Core.Tests;

/// <summary>The races between a key and its lease, by name.</summary>
public sealed class KeyRaceTests : KeyRaceFixture
{
    [Fact]
    public void Put_WhenNothingHappensBetween_ReadsAttachesAndWrites()
    {
        var lease = Grant();
        var put = Put("up", lease);

        World.Pass<KeyCommand.Put>();
        World.Pass<LeaseCommand.Attach>();
        Assert.Null(World.Store.Key(K).Value);
        World.Pass<KeyCommand.Put>();

        Assert.Equal(1, Result(put).Value.Version);
        Assert.Equal(0, World.Store.Lease(R).Holders.Single().Keys![K]);
        Assert.Empty(World.Asks);
    }

    [Fact]
    public void Put_WhenTheKeyIsBoundToThisLeaseAlready_WritesNothingAtTheLease()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        var version = World.Store.Lease(R).Version;

        Settled(Put("still up", lease));

        Assert.Equal(version, World.Store.Lease(R).Version);
    }

    [Fact]
    public void Attach_WhenTheLeaseEndsFirst_IsRefused()
    {
        var lease = Grant();
        var put = Put("up", lease);
        World.Pass<KeyCommand.Put>();
        var attach = World.Asks.Single();

        Release(lease);
        attach.Start();
        World.Store.AnswerAll();
        attach.Deliver();

        Assert.IsType<Refusal.NotHolder>(Result(put).Refusal);
        Assert.Null(World.Store.Lease(R).Pending);
    }

    [Fact]
    public void Attach_WhileTheLeaseEnds_IsCleanedUp()
    {
        var lease = Grant();
        var put = Put("up", lease);
        World.Pass<KeyCommand.Put>();
        var attach = World.Start<LeaseCommand.Attach>();
        // The end waits in the queue of the lease's keeper behind the attach, and overtakes its answer.
        var release = World.Lease(R, ReleaseOf(lease));
        World.Store.AnswerAll();
        Now<LeaseRelease>(release);
        Assert.Equal(K, Assert.Single(Assert.Single(World.Store.Lease(R).Pending!).Keys));
        attach.Deliver();
        World.Pass<KeyCommand.Put>();

        Assert.Equal(1, Result(put).Value.Version);
        Assert.IsType<Refusal.NotFound>(Get().Refusal);
        Assert.True(World.CleanOne());
        Assert.Null(World.Store.Key(K).Value);
        Assert.Null(World.Store.Lease(R).Pending);
    }

    [Fact]
    public void Clean_BeforeThePutItIsAbout_MakesItLose()
    {
        var lease = Grant();
        var put = Put("up", lease);
        World.Pass<KeyCommand.Put>();
        World.Pass<LeaseCommand.Attach>();
        Release(lease);
        Assert.True(World.CleanOne());
        Assert.Equal((1, null), (World.Store.Key(K).Version, World.Store.Key(K).Value));
        Assert.Null(World.Store.Lease(R).Pending);

        World.Settle();

        Assert.IsType<Refusal.NotHolder>(Result(put).Refusal);
        Assert.Null(World.Store.Key(K).Value);
    }

    [Fact]
    public void Clean_WhileThePutIsBeingStored_TakesItAway()
    {
        var lease = Grant();
        var put = Put("up", lease);
        World.Pass<KeyCommand.Put>();
        World.Pass<LeaseCommand.Attach>();
        Release(lease);
        var write = World.Start<KeyCommand.Put>();
        var clean = World.Key(K, new KeyCommand.Clean(R, lease.Token));
        World.Store.AnswerAll();
        write.Deliver();

        Assert.Null(Result(put).Refusal);
        Now<KeyReply.Cleaned>(clean);
        Assert.Null(World.Store.Key(K).Value);
    }

    [Fact]
    public void Clean_WhenItComesTwice_ChangesNothingThatIsNot()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        Release(lease);
        World.CleanOne();
        Settled(Put("free", null));

        var again = World.Key(K, new KeyCommand.Clean(R, lease.Token));
        World.Settle();

        Now<KeyReply.Cleaned>(again);
        Assert.Equal("free", Get().Value.Value);
        Assert.Equal(3, Get().Value.Version);
    }

    [Fact]
    public void Get_WhenTheKeyIsPutFreeWhileItsLeaseEnds_IsNeverAbsent()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        var get = World.Calls.GetAsync(K);
        World.Pass<KeyCommand.Get>();
        var put = Put("free", null);
        World.Pass<KeyCommand.Put>();
        World.Pass(World.Asks[^1]);
        World.Pass<KeyCommand.Put>();
        Assert.Null(Result(put).Refusal);
        Release(lease);

        World.Settle();

        // It was there all the time, first bound and then free.
        Assert.Equal("free", Result(get).Value.Value);
    }

    [Fact]
    public void Unbind_ThatIsLateWithItsMessage_DoesNotDetachALaterPut()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        var delete = World.Calls.DeleteAsync(K, null);
        World.Pass<KeyCommand.Delete>();
        World.Pass<LeaseCommand.GetActiveTokens>();
        World.Pass<KeyCommand.Delete>();
        Assert.True(Result(delete).Value.Existed);
        var detach = Assert.Single(World.Asks);
        Assert.IsType<LeaseCommand.Detach>(detach.Command);

        var put = Put("again", lease);
        World.Pass<KeyCommand.Put>();
        World.Pass<LeaseCommand.Attach>();
        detach.Start();
        World.Store.AnswerAll();
        detach.Deliver();
        World.Pass<KeyCommand.Put>();

        Assert.Null(Result(put).Refusal);
        Release(lease);
        Assert.True(World.CleanOne());
        Assert.Null(World.Store.Key(K).Value);
    }

    [Fact]
    public void Unbind_Detaches()
    {
        var lease = Grant();
        Settled(Put("up", lease));

        Settled(Put("free", null));
        World.Settle();

        Assert.Null(World.Store.Lease(R).Holders.Single().Keys);
        Release(lease);
        Assert.Empty(World.CleanUps);
        Assert.Equal("free", Get().Value.Value);
    }

    [Fact]
    public void Transfer_EndsTheKeysOfTheOldToken()
    {
        var lease = Grant();
        Settled(Put("up", lease));
        var transfer = World.Lease(
            R,
            LeaseCommand.Of(
                new TransferRequest { Resource = R, Owner = lease.Owner, Token = lease.Token, NewOwner = "heir", RequestId = "t" }));
        World.Store.AnswerAll();
        var heir = Now<LeaseGrant>(transfer);

        Assert.IsType<Refusal.NotFound>(Get().Refusal);
        Assert.Null(World.Store.Lease(R).Holders.Single().Keys);
        Settled(Put("of the heir", new KeyLease { Resource = R, Owner = "heir", Token = heir.Token }));
        while (World.CleanOne()) World.Settle();
        Assert.Equal("of the heir", Get().Value.Value);
    }

    [Fact]
    public void Add_ToAHotBoundCounter_DoesNotAskAgainForOthersAdditions()
    {
        var lease = Grant();
        Settled(World.Calls.AddAsync(K, new AddToCounterRequest { Delta = 1, Lease = lease, RequestId = "first" }));
        var first = World.Calls.AddAsync(K, new AddToCounterRequest { Delta = 1, Lease = lease, RequestId = "a" });
        World.Pass<KeyCommand.Add>();
        World.Pass<LeaseCommand.Attach>();
        var waiting = World.Asks.Single();
        var other = World.Calls.AddAsync(K, new AddToCounterRequest { Delta = 5, RequestId = "b" });
        for (var i = 0; i < 3; i++) World.Pass(World.Asks[^1]);
        Assert.Equal(6, Result(other).Value.Value);

        World.Pass(waiting);

        Assert.Equal(7, Result(first).Value.Value);
    }
}
