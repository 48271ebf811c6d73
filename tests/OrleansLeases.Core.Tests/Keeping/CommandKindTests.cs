using static OrleansLeases.Core.Tests.KeeperFixture;
using static OrleansLeases.Core.Tests.MachineFixture;

namespace OrleansLeases.Core.Tests;

/// <summary>What a keeper does by the kind of a command: a read, a use of the record, one that nobody waits for.</summary>
public sealed class CommandKindTests
{
    private readonly KeeperFixture _fixture = new(idleAfter: Seconds(60));

    [Theory]
    [InlineData("get")]
    [InlineData("history")]
    [InlineData("watch")]
    [InlineData("tokens")]
    [InlineData("keys")]
    public void Read_ThatFindsAnExpiryWhoseSaveIsOpen_IsUnavailable(string command)
    {
        ExpireUnseen();

        Assert.Contains("did not answer", Now<Refusal.Unavailable>(Do(command)).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("attach", null)]
    [InlineData("detach", null)]
    [InlineData("clean-up", null)]
    [InlineData("acquire", "by me")]
    public void Change_WhoseSaveIsOpen_IsUnknown_AndIsToldHowToRepeatIt(string command, string? requestId)
    {
        ExpireUnseen();

        var refusal = Now<Refusal.OutcomeUnknown>(Do(command));

        Assert.Equal(requestId, refusal.RequestId);
        Assert.Equal(requestId is not null, refusal.Detail.Contains("same requestId", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("get", true)]
    [InlineData("acquire", true)]
    [InlineData("tokens", true)]
    [InlineData("detach", false)]
    [InlineData("clean-up", false)]
    public void Keeper_StaysInMemory_ForThoseWhoMayCallAgain(string command, bool stays)
    {
        Now<LeaseRelease>(_fixture.Release(_fixture.Grant().Token));
        _fixture.Advance(59);

        _ = Do(command);

        if (command == "acquire") _fixture.Advance(10);
        _fixture.Advance(1);
        Assert.Equal(stays, _fixture.Keeper.Submit(LeaseCommand.Tick.Instance) is not null);
    }

    [Theory]
    [InlineData("tick", true)]
    [InlineData("detach", true)]
    [InlineData("clean-up", true)]
    [InlineData("get", false)]
    [InlineData("attach", false)]
    [InlineData("acquire", false)]
    public void Save_ThatNobodyWaitsFor_LetsOthersGoFirst(string command, bool background)
    {
        _fixture.AlarmsRing = false;
        _fixture.Grant();
        _fixture.Advance(10);

        _ = Do(command);

        Assert.Equal((2, background), (_fixture.Store.Saves, _fixture.Store.LastIsBackground));
    }

    [Fact]
    public void Save_ThatServesTheQueue_LetsNoOtherGoFirst()
    {
        _fixture.Grant(ttl: 10);
        var waits = _fixture.Acquire(Ask("other") with { Wait = Seconds(20) });

        _fixture.Advance(10);

        Now<LeaseGrant>(waits);
        Assert.False(_fixture.Store.LastIsBackground);
    }

    [Fact]
    public void Transfer_ToWhomHoldsAlready_WaitsForNothing()
    {
        var token = Now<LeaseGrant>(_fixture.Acquire(AskShared("me"))).Token;
        Now<LeaseGrant>(_fixture.Acquire(AskShared("you")));

        Assert.True(Now<Refusal.Held>(_fixture.Do(LeaseCommand.Of(new TransferRequest
        {
            Resource = KeeperFixture.Resource, Owner = "me", Token = token, NewOwner = "you", RequestId = "transfer",
        }))).SameOwner);
    }

    private void ExpireUnseen()
    {
        _fixture.AlarmsRing = false;
        _fixture.Grant(id: "first");
        _fixture.Advance(10);
        _fixture.Store.OnSave(_ => throw new IOException("no answer"));
    }

    private Task Do(string command) => command switch
    {
        "get" => _fixture.Do(new LeaseCommand.Get(Fresh: false)),
        "history" => _fixture.Do(LeaseCommand.GetHistory.Instance),
        "watch" => _fixture.Do(new LeaseCommand.Watch(Since: null)),
        "tokens" => _fixture.Do(LeaseCommand.GetActiveTokens.Instance),
        "keys" => _fixture.Do(new LeaseCommand.GetAttachedKeys(1)),
        "tick" => _fixture.Do(LeaseCommand.Tick.Instance),
        "attach" => _fixture.Do(new LeaseCommand.Attach(new() { Resource = KeeperFixture.Resource, Owner = "me", Token = 1 }, "k", 0)),
        "detach" => _fixture.Do(new LeaseCommand.Detach(1, "k", 1)),
        "clean-up" => _fixture.Do(new LeaseCommand.CleanUpDone(1, ["k"])),
        "acquire" => _fixture.Acquire(Ask()),
        _ => throw new ArgumentOutOfRangeException(nameof(command), command, "There is no such command."),
    };
}
