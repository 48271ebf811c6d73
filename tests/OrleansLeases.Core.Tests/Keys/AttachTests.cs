namespace OrleansLeases.Core.Tests;

/// <summary>What a lease does with the names of its keys.</summary>
public sealed class AttachTests
{
    private readonly MachineBench _bench = new();

    [Fact]
    public void Attach_ByItsHolder_IsStored()
    {
        var token = _bench.Grant();

        Assert.Same(LeaseReply.Acknowledged.Instance, Attach(token, "a", 3));

        Assert.Equal(3, _bench.Stored.Holders.Single().Keys!["a"]);
        Assert.True(_bench.State.Holders.Single().Delivered);
    }

    [Fact]
    public void Attach_OfANameThatIsThere_ChecksTheStoreInstead()
    {
        var token = _bench.Grant();
        Attach(token, "a", 3);

        foreach (var since in new[] { 0, 2, 3 })
        {
            Attach(token, "a", since);
            Assert.Equal((false, true), (_bench.Last.Durable, _bench.Last.RequiresFreshRead));
        }

        Attach(token, "a", 4);
        Assert.True(_bench.Last.Durable);
        Assert.Equal(4, _bench.Stored.Holders.Single().Keys!["a"]);
    }

    [Fact]
    public void Attach_BySomebodyElse_IsRefused()
    {
        var token = _bench.Grant();

        MachineBench.NotHolder(NotHolderReason.NeverHeld, Attach(token + 1, "a", 0), token);
        MachineBench.NotHolder(NotHolderReason.NeverHeld, _bench.Apply(new LeaseCommand.Attach(Lease(token, "you"), "a", 0)));
        _bench.Advance(10);
        MachineBench.NotHolder(NotHolderReason.Expired, Attach(token, "a", 0));
    }

    [Fact]
    public void Attach_BeyondTheLimit_IsRefused()
    {
        _bench.Rules = _bench.Rules with { Limits = new LeaseLimits { MaxKeys = 2 } };
        var token = _bench.Grant();
        Attach(token, "a", 0);
        Attach(token, "b", 0);

        Assert.Equal("keys", MachineBench.Refused<Refusal.LimitReached>(Attach(token, "c", 0)).Limit);
        Assert.Same(LeaseReply.Acknowledged.Instance, Attach(token, "a", 1));
    }

    [Fact]
    public void Attach_WhileCleanUpsAreFarBehind_IsRefused()
    {
        _bench.Rules = _bench.Rules with { Limits = new LeaseLimits { MaxKeys = 2 } };
        for (var i = 0; i < 10; i++)
        {
            var token = _bench.Grant(id: $"q{i}");
            Attach(token, "a", 0);
            Attach(token, "b", 0);
            _bench.Release(token);
        }

        var last = _bench.Grant(id: "last");
        Assert.Equal("keys", MachineBench.Refused<Refusal.LimitReached>(Attach(last, "a", 0)).Limit);
        _bench.Apply(new LeaseCommand.CleanUpDone(_bench.State.Pending![0].Token, ["a"]));
        Assert.Same(LeaseReply.Acknowledged.Instance, Attach(last, "a", 0));
    }

    [Fact]
    public void Detach_OfAnEarlierGeneration_LeavesTheName()
    {
        var token = _bench.Grant();
        Attach(token, "a", 3);

        _bench.Apply(new LeaseCommand.Detach(token, "a", 3));
        Assert.False(_bench.Last.Durable);
        _bench.Apply(new LeaseCommand.Detach(token, "a", 4));

        Assert.Null(_bench.Stored.Holders.Single().Keys);
    }

    [Fact]
    public void Detach_OfWhatIsNotThere_ChangesNothing()
    {
        var token = _bench.Grant();
        Attach(token, "a", 0);

        _bench.Apply(new LeaseCommand.Detach(token, "b", 9));
        Assert.False(_bench.Last.Durable);
        _bench.Apply(new LeaseCommand.Detach(token + 1, "a", 9));
        Assert.False(_bench.Last.Durable);
    }

    public static TheoryData<string> Ends => new("release", "expiry", "break", "transfer");

    [Theory]
    [MemberData(nameof(Ends))]
    public void End_OfAnyKind_MovesTheNamesToTheOutboxInTheSameWrite(string end)
    {
        var token = _bench.Grant();
        Attach(token, "b", 0);
        Attach(token, "a", 1);
        var version = _bench.Stored.Version;

        switch (end)
        {
            case "release":
                _bench.Release(token);
                break;
            case "expiry":
                _bench.Advance(10);
                _bench.Tick();
                break;
            case "break":
                _bench.Break(token, 0, force: true);
                break;
            default:
                _bench.Transfer(token, "you");
                break;
        }

        Assert.Equal(version + 1, _bench.Stored.Version);
        var pending = Assert.Single(_bench.Stored.Pending!);
        Assert.Equal((token, "a,b"), (pending.Token, string.Join(',', pending.Keys)));
        Assert.All(_bench.Stored.Holders, holder => Assert.Null(holder.Keys));
        Assert.True(LeaseMachine.DueWall(_bench.Stored) <= _bench.Clock.Read().Latest + TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    public void End_OfALeaseWithoutKeys_LeavesNothingToCleanUp()
    {
        _bench.Release(_bench.Grant());

        Assert.Null(_bench.Stored.Pending);
    }

    [Fact]
    public void CleanUpDone_TakesTheKeysOffTheRecord()
    {
        var token = _bench.Grant();
        foreach (var key in new[] { "a", "b", "c" }) Attach(token, key, 0);
        _bench.Release(token);

        _bench.Apply(new LeaseCommand.CleanUpDone(token, ["a", "c", "unknown"]));
        Assert.Equal("b", Assert.Single(Assert.Single(_bench.Stored.Pending!).Keys));
        _bench.Apply(new LeaseCommand.CleanUpDone(token, ["a"]));
        Assert.False(_bench.Last.Durable);
        _bench.Apply(new LeaseCommand.CleanUpDone(token, ["b"]));
        Assert.Null(_bench.Stored.Pending);
        Assert.Same(LeaseReply.Acknowledged.Instance, _bench.Apply(new LeaseCommand.CleanUpDone(token, ["b"])));
        Assert.False(_bench.Last.Durable);
    }

    [Fact]
    public void CleanUpDone_IsAboutItsOwnTokenAlone()
    {
        var first = _bench.Grant(id: "1");
        Attach(first, "a", 0);
        _bench.Release(first);
        var second = _bench.Grant(id: "2");
        Attach(second, "a", 0);
        _bench.Release(second);

        _bench.Apply(new LeaseCommand.CleanUpDone(second, ["a"]));

        Assert.Equal(first, Assert.Single(_bench.Stored.Pending!).Token);
    }

    [Fact]
    public void WhoHolds_RecordsWhatIsOverFirst()
    {
        var first = _bench.Grant(MachineBench.AskShared("me", ttl: 5));
        var second = _bench.Grant(MachineBench.AskShared("you"));
        Assert.Equal([first, second], Assert.IsType<LeaseReply.ActiveTokens>(_bench.Apply(LeaseCommand.GetActiveTokens.Instance)).InForce);
        _bench.Advance(5);

        Assert.Equal([second], Assert.IsType<LeaseReply.ActiveTokens>(_bench.Apply(LeaseCommand.GetActiveTokens.Instance)).InForce);
        Assert.True(_bench.Last.Durable);
    }

    [Fact]
    public void Undelivered_GrantThatHasKeys_IsNotGivenBack()
    {
        var token = _bench.Grant();
        Attach(token, "a", 0);

        Assert.Equal(new LeaseReply.Released(token, Replayed: true), _bench.Release(token, undelivered: true));
        Assert.Single(_bench.State.Holders);
    }

    private LeaseReply Attach(long token, string key, long since) => _bench.Apply(new LeaseCommand.Attach(Lease(token), key, since));

    private static KeyLease Lease(long token, string owner = "me") => new() { Resource = MachineBench.Resource, Owner = owner, Token = token };
}
