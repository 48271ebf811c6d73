namespace OrleansLeases.Core.Tests;

/// <summary>What a lease does with the names of its keys.</summary>
public sealed class AttachTests
{
    private readonly MachineFixture _fixture = new();

    [Fact]
    public void Attach_ByItsHolder_IsStored()
    {
        var token = _fixture.Grant();

        Assert.Same(LeaseReply.Acknowledged.Instance, Attach(token, "a", 3));

        Assert.Equal(3, _fixture.Stored.Holders.Single().Keys!["a"]);
        Assert.True(_fixture.State.Holders.Single().Delivered);
    }

    [Fact]
    public void Attach_OfANameThatIsThere_ChecksTheStoreInstead()
    {
        var token = _fixture.Grant();
        Attach(token, "a", 3);

        foreach (var since in new[] { 0, 2, 3 })
        {
            Attach(token, "a", since);
            Assert.Equal((false, true), (_fixture.Last.Durable, _fixture.Last.RequiresFreshRead));
        }

        Attach(token, "a", 4);
        Assert.True(_fixture.Last.Durable);
        Assert.Equal(4, _fixture.Stored.Holders.Single().Keys!["a"]);
    }

    // The right to renew in memory is won by a write: another activation may have freed the place without one.
    [Fact]
    public void GetAttachedKeys_WhichIsRememberedInMemory_ClaimsNothing()
    {
        var token = _fixture.Grant();
        _fixture.Reload();

        AttachedTo(token);
        Assert.False(_fixture.Last.Durable);

        _fixture.Renew(token);
        Assert.True(_fixture.Last.Durable);
        Assert.Equal(_fixture.Self, _fixture.Stored.Claim);
    }

    [Fact]
    public void Attach_OfANameThatIsThere_ClaimsNothing()
    {
        var token = _fixture.Grant();
        Attach(token, "a", 3);
        _fixture.Reload();

        Attach(token, "a", 3);
        Assert.False(_fixture.Last.Durable);

        _fixture.Renew(token);
        Assert.True(_fixture.Last.Durable);
        Assert.Equal(_fixture.Self, _fixture.Stored.Claim);
    }

    [Fact]
    public void Attach_BySomebodyElse_IsRefused()
    {
        var token = _fixture.Grant();

        MachineFixture.NotHolder(NotHolderReason.NeverHeld, Attach(token + 1, "a", 0), token);
        MachineFixture.NotHolder(NotHolderReason.NeverHeld, _fixture.Apply(new LeaseCommand.Attach(Lease(token, "you"), "a", 0)));
        _fixture.Advance(10);
        MachineFixture.NotHolder(NotHolderReason.Expired, Attach(token, "a", 0));
    }

    [Fact]
    public void Attach_BeyondTheLimit_IsRefused()
    {
        _fixture.Rules = _fixture.Rules with { Limits = new LeaseLimits { MaxKeys = 2 } };
        var token = _fixture.Grant();
        Attach(token, "a", 0);
        Attach(token, "b", 0);

        Assert.Equal("keys", MachineFixture.Refused<Refusal.LimitReached>(Attach(token, "c", 0)).Limit);
        Assert.Same(LeaseReply.Acknowledged.Instance, Attach(token, "a", 1));
    }

    [Fact]
    public void Attach_WhileCleanUpsAreFarBehind_IsRefused()
    {
        _fixture.Rules = _fixture.Rules with { Limits = new LeaseLimits { MaxKeys = 2 } };
        for (var i = 0; i < 10; i++)
        {
            var token = _fixture.Grant(id: $"q{i}");
            Attach(token, "a", 0);
            Attach(token, "b", 0);
            _fixture.Release(token);
        }

        var last = _fixture.Grant(id: "last");
        var refused = MachineFixture.Refused<Refusal.LimitReached>(Attach(last, "a", 0));
        Assert.Equal("keys", refused.Limit);
        Assert.Contains("20 keys together", refused.Detail, StringComparison.Ordinal);
        _fixture.Apply(new LeaseCommand.CleanUpDone(_fixture.State.Pending![0].Token, ["a"]));
        Assert.Same(LeaseReply.Acknowledged.Instance, Attach(last, "a", 0));
    }

    [Fact]
    public void Attach_WhereOtherHoldersHaveManyKeys_IsRefused()
    {
        _fixture.Rules = _fixture.Rules with { Limits = new LeaseLimits { MaxKeys = 2 } };
        for (var i = 0; i < 10; i++)
        {
            var token = _fixture.Grant(MachineFixture.AskShared($"o{i}"));
            foreach (var key in new[] { "a", "b" }) _fixture.Apply(new LeaseCommand.Attach(Lease(token, $"o{i}"), key, 0));
        }

        var last = _fixture.Grant(MachineFixture.AskShared("me"));
        Assert.Equal("keys", MachineFixture.Refused<Refusal.LimitReached>(Attach(last, "a", 0)).Limit);
    }

    [Fact]
    public void GetAttachedKeys_OfALease_ShowsThemEveryTenSeconds()
    {
        var token = _fixture.Grant(ttl: 60);
        Attach(token, "a", 3);

        Assert.Equal([new("a", 3)], AttachedTo(token));
        Assert.False(_fixture.Last.Durable);
        _fixture.Advance(9.999);
        Assert.Empty(AttachedTo(token));
        _fixture.Advance(0.001);
        Assert.Equal([new("a", 3)], AttachedTo(token));
        Assert.Empty(AttachedTo(token + 1));
    }

    [Fact]
    public void Detach_OfAnEarlierGeneration_LeavesTheName()
    {
        var token = _fixture.Grant();
        Attach(token, "a", 3);

        _fixture.Apply(new LeaseCommand.Detach(token, "a", 3));
        Assert.False(_fixture.Last.Durable);
        _fixture.Apply(new LeaseCommand.Detach(token, "a", 4));

        Assert.Null(_fixture.Stored.Holders.Single().Keys);
    }

    [Fact]
    public void Detach_OfWhatIsNotThere_ChangesNothing()
    {
        var token = _fixture.Grant();
        Attach(token, "a", 0);

        _fixture.Apply(new LeaseCommand.Detach(token, "b", 9));
        Assert.False(_fixture.Last.Durable);
        _fixture.Apply(new LeaseCommand.Detach(token + 1, "a", 9));
        Assert.False(_fixture.Last.Durable);
    }

    public static TheoryData<string> Ends => new("release", "expiry", "break", "transfer");

    [Theory]
    [MemberData(nameof(Ends))]
    public void End_OfAnyKind_MovesTheNamesToTheOutboxInTheSameWrite(string end)
    {
        var token = _fixture.Grant();
        Attach(token, "b", 0);
        Attach(token, "a", 1);
        var version = _fixture.Stored.Version;

        switch (end)
        {
            case "release":
                _fixture.Release(token);
                break;
            case "expiry":
                _fixture.Advance(10);
                _fixture.Tick();
                break;
            case "break":
                _fixture.Break(token, 0, force: true);
                break;
            default:
                _fixture.Transfer(token, "you");
                break;
        }

        Assert.Equal(version + 1, _fixture.Stored.Version);
        var pending = Assert.Single(_fixture.Stored.Pending!);
        Assert.Equal((token, "a,b"), (pending.Token, string.Join(',', pending.Keys)));
        Assert.All(_fixture.Stored.Holders, holder => Assert.Null(holder.Keys));
        Assert.Equal(TimeSpan.Zero, LeaseMachine.DueWall(_fixture.Stored));
    }

    [Fact]
    public void End_OfALeaseWithoutKeys_LeavesNothingToCleanUp()
    {
        _fixture.Release(_fixture.Grant());

        Assert.Null(_fixture.Stored.Pending);
    }

    // So a sweeper finds what a crash has left, though nobody holds the resource any more, and by whatever clock its end was recorded.
    [Fact]
    public void End_OfALeaseWithKeys_IsDueUntilTheyAreCleanedUp()
    {
        var token = _fixture.Grant();
        Attach(token, "a", 0);
        _fixture.Release(token);

        Assert.Equal(TimeSpan.Zero, LeaseMachine.DueWall(_fixture.Stored));
        _fixture.Apply(new LeaseCommand.CleanUpDone(token, ["a"]));
        Assert.Null(LeaseMachine.DueWall(_fixture.Stored));
    }

    [Fact]
    public void CleanUpDone_TakesTheKeysOffTheRecord()
    {
        var token = _fixture.Grant();
        foreach (var key in new[] { "a", "b", "c" }) Attach(token, key, 0);
        _fixture.Release(token);

        _fixture.Apply(new LeaseCommand.CleanUpDone(token, ["a", "c", "unknown"]));
        Assert.Equal("b", Assert.Single(Assert.Single(_fixture.Stored.Pending!).Keys));
        _fixture.Apply(new LeaseCommand.CleanUpDone(token, ["a"]));
        Assert.False(_fixture.Last.Durable);
        _fixture.Apply(new LeaseCommand.CleanUpDone(token, ["b"]));
        Assert.Null(_fixture.Stored.Pending);
        Assert.Same(LeaseReply.Acknowledged.Instance, _fixture.Apply(new LeaseCommand.CleanUpDone(token, ["b"])));
        Assert.False(_fixture.Last.Durable);
    }

    [Fact]
    public void CleanUpDone_IsAboutItsOwnTokenAlone()
    {
        var first = _fixture.Grant(id: "1");
        Attach(first, "a", 0);
        _fixture.Release(first);
        var second = _fixture.Grant(id: "2");
        Attach(second, "a", 0);
        _fixture.Release(second);

        _fixture.Apply(new LeaseCommand.CleanUpDone(second, ["a"]));

        Assert.Equal(first, Assert.Single(_fixture.Stored.Pending!).Token);
    }

    [Fact]
    public void GetActiveTokens_RecordsWhatIsOverFirst()
    {
        var first = _fixture.Grant(MachineFixture.AskShared("me", ttl: 5));
        var second = _fixture.Grant(MachineFixture.AskShared("you"));
        Assert.Equal(
            [first, second], Assert.IsType<LeaseReply.ActiveTokens>(_fixture.Apply(LeaseCommand.GetActiveTokens.Instance)).InForce);
        _fixture.Advance(5);

        Assert.Equal([second], Assert.IsType<LeaseReply.ActiveTokens>(_fixture.Apply(LeaseCommand.GetActiveTokens.Instance)).InForce);
        Assert.True(_fixture.Last.Durable);
    }

    [Fact]
    public void Undelivered_GrantThatHasKeys_IsNotGivenBack()
    {
        var token = _fixture.Grant();
        Attach(token, "a", 0);

        Assert.Equal(new LeaseReply.Released(token, Replayed: true), _fixture.Release(token, undelivered: true));
        Assert.Single(_fixture.State.Holders);
    }

    private LeaseReply Attach(long token, string key, long since) => _fixture.Apply(new LeaseCommand.Attach(Lease(token), key, since));

    private IReadOnlyDictionary<string, long> AttachedTo(long token) =>
        Assert.IsType<LeaseReply.AttachedKeys>(_fixture.Apply(new LeaseCommand.GetAttachedKeys(token))).Since;

    private static KeyLease Lease(long token, string owner = "me") =>
        new() { Resource = MachineFixture.Resource, Owner = owner, Token = token };
}
