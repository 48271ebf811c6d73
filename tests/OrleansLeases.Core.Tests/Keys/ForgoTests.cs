using static OrleansLeases.Core.Tests.KeyAnswers;

namespace OrleansLeases.Core.Tests;

/// <summary>A write that comes to nothing leaves no name with its lease, and takes away none that another write relies on.</summary>
public sealed class ForgoTests
{
    private const string K = "workers/7";

    private KeyWorld _world = new();

    [Fact]
    public void Put_WhoseVersionIsGoneAfterTheAttach_LeavesNoName()
    {
        var lease = Grant("a");
        var put = Put(lease, ifVersion: 0);
        _world.Pass<KeyCommand.Put>();
        _world.Pass<LeaseCommand.Attach>();
        PutFree();

        _world.Settle();

        Assert.IsType<Refusal.Conflict>(Result(put).Refusal);
        Assert.Null(Names("a"));
    }

    [Fact]
    public void Put_ThatAnotherLeaseWasFasterWith_LeavesNoName()
    {
        var (mine, theirs) = (Grant("a"), Grant("b"));
        var put = Put(mine, ifVersion: 0);
        _world.Pass<KeyCommand.Put>();
        _world.Pass<LeaseCommand.Attach>();
        var faster = Put(theirs, ifVersion: 0);

        _world.Pass<KeyCommand.Put>(command => command.Request.Lease == theirs);
        _world.Pass<LeaseCommand.Attach>(command => command.Lease == theirs);
        _world.Pass<KeyCommand.Put>(command => command.Request.Lease == theirs);
        _world.Settle();

        Assert.Null(Result(faster).Refusal);
        Assert.IsType<Refusal.Conflict>(Result(put).Refusal);
        Assert.Null(Names("a"));
        Assert.Equal([K], Names("b")!);
    }

    [Fact]
    public void Counter_ThatTurnsOutToBeNone_LeavesNoName()
    {
        var lease = Grant("a");
        var add = _world.Calls.AddAsync(K, new AddToCounterRequest { Delta = 1, Lease = lease, RequestId = "add" });
        _world.Pass<KeyCommand.Add>();
        _world.Pass<LeaseCommand.Attach>();
        PutFree();

        _world.Settle();

        Assert.IsType<Refusal.Conflict>(Result(add).Refusal);
        Assert.Null(Names("a"));
    }

    [Fact]
    public void Put_ThatTurnsOutToBeARepeat_LeavesNoName()
    {
        var lease = Grant("a");
        var request = new PutKeyRequest { Value = "up", Lease = lease, RequestId = "same" };
        var first = _world.Calls.PutAsync(K, request);
        _world.Pass<KeyCommand.Put>();
        var repeat = _world.Calls.PutAsync(K, request);
        _world.Pass<KeyCommand.Put>();
        _world.Pass<LeaseCommand.Attach>();
        _world.Pass<KeyCommand.Put>();
        // What was written is overwritten, and the name forgotten, before the repeat attaches the key once more.
        _ = _world.Calls.PutAsync(K, new PutKeyRequest { Value = "free", RequestId = "free" });
        _world.Pass<KeyCommand.Put>(command => command.Request.Lease is null);
        _world.Pass<LeaseCommand.GetActiveTokens>();
        _world.Pass<KeyCommand.Put>(command => command.Request.Lease is null);
        _world.Pass<LeaseCommand.Detach>();

        _world.Settle();

        Assert.Equal(Result(first).Value.Version, Result(repeat).Value.Version);
        Assert.Null(Names("a"));
    }

    [Fact]
    public void Attach_WhoseOutcomeIsUnknown_LeavesNoName()
    {
        var lease = Grant("a");
        var put = Put(lease);
        _world.Pass<KeyCommand.Put>();
        _world.Start<LeaseCommand.Attach>();
        _world.Store.Held.Single().Land();
        _world.Store.Held.Single().Fail(mayLandYet: false);
        _world.Settle();

        Assert.IsType<Refusal.OutcomeUnknown>(Result(put).Refusal);
        Assert.Null(Names("a"));
    }

    // In each order of the two messages: between the other's steps, and late.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Forgo_WhileAnotherWriteOfTheLeaseReliesOnTheName_KeepsIt(bool late)
    {
        var lease = Grant("a");
        var lost = Put(lease, ifVersion: 0);
        _world.Pass<KeyCommand.Put>();
        _world.Pass<LeaseCommand.Attach>();
        PutFree();
        _world.Pass<KeyCommand.Put>();
        var other = Put(lease);
        _world.Pass<KeyCommand.Put>();
        _world.Pass<LeaseCommand.Attach>();
        _world.Pass<KeyCommand.Forgo>();
        if (late)
        {
            _world.Pass<KeyCommand.Put>();
            _world.Pass<LeaseCommand.Attach>();
            _world.Pass<KeyCommand.Put>();
        }

        _world.Settle();

        Assert.IsType<Refusal.Conflict>(Result(lost).Refusal);
        Assert.Null(Result(other).Refusal);
        Assert.Equal([K], Names("a")!);
        Assert.Equal("a", _world.Store.Key(K).Binding?.Resource);
    }

    [Fact]
    public void Attach_WithoutRoom_ForgetsTheNamesThatWereLeftOver()
    {
        _world = new KeyWorld(new LeaseLimits { MaxKeys = 3 });
        var lease = Grant("a");
        _ = Put(lease, "kept");
        _world.Settle();
        foreach (var key in new[] { "left/1", "left/2" })
        {
            // The host dies between the two steps of a write.
            _ = Put(lease, key);
            _world.Pass<KeyCommand.Put>();
            _world.Pass<LeaseCommand.Attach>();
            _world.Crash();
        }

        var put = Put(lease, "another");
        _world.Settle();

        Assert.Null(Result(put).Refusal);
        Assert.Equal(["another", "kept"], Names("a")!);

        var more = Put(lease, "third");
        _world.Settle();
        Assert.Null(Result(more).Refusal);
        var tooMany = Put(lease, "fourth");
        _world.Settle();
        Assert.IsType<Refusal.LimitReached>(Result(tooMany).Refusal);
        Assert.Equal(3, Names("a")!.Count());
    }

    private IEnumerable<string>? Names(string resource) => _world.Store.Lease(resource).Holders.Single().Keys?.Keys;

    private KeyLease Grant(string resource)
    {
        var answer = _world.Lease(resource, LeaseCommand.Of(MachineFixture.Ask("me") with { Resource = resource }));
        _world.Store.AnswerAll();
        return new KeyLease { Resource = resource, Owner = "me", Token = Now<LeaseGrant>(answer).Token };
    }

    private Task<LeaseResult<KeyPut>> Put(KeyLease lease, string key = K, long? ifVersion = null) =>
        _world.Calls.PutAsync(
            key, new PutKeyRequest { Value = "up", Lease = lease, IfVersion = ifVersion, RequestId = Guid.NewGuid().ToString("N") });

    private void PutFree()
    {
        var answer = _world.Key(K, KeyCommand.Of(new PutKeyRequest { Value = "free", RequestId = "free" }));
        _world.Store.AnswerAll();
        Now<KeyReply.Written>(answer);
    }
}
