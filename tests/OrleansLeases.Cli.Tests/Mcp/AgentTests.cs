using System.Diagnostics.CodeAnalysis;
using ModelContextProtocol.Protocol;

namespace OrleansLeases.Cli.Tests.Mcp;

/// <summary>What an agent is told by its tools, above all when it must stop.</summary>
[SuppressMessage("Usage", "xUnit1031", Justification = "Looks at a service in memory, which answers at once.")]
public sealed class AgentTests : IAsyncLifetime
{
    private readonly AgentWorld _world = new();
    private Agent _ann = null!;
    private Agent _bob = null!;

    public async Task InitializeAsync() => (_ann, _bob) = (await _world.JoinAsync("ann"), await _world.JoinAsync("bob & co"));

    public Task DisposeAsync() => _world.DisposeAsync().AsTask();

    [Fact]
    public async Task Acquire_OfWhatIsHeld_IsBusy_AndTheNextTokenIsHigher()
    {
        var held = await _ann.CallAsync("acquire", ("resource", "repo/main"), ("purpose", "merge"));
        var again = await _ann.CallAsync("acquire", ("resource", "repo/main"));
        var busy = await _bob.CallAsync("acquire", ("resource", "repo/main"));

        Assert.Equal(("held", "held", held.Token), (held.Outcome, again.Outcome, again.Token));
        Assert.Contains($"Pass the token {held.Token} along", held.Next, StringComparison.Ordinal);
        Assert.Equal(("busy", false), (busy.Outcome, busy.IsError));
        Assert.Contains("do not touch it", busy.Next, StringComparison.Ordinal);
        var holder = Assert.Single(busy["holders"].EnumerateArray());
        Assert.Equal("merge", holder.GetProperty("purpose").GetString());
        Assert.Matches("^team/ann-[0-9a-f]{8}$", holder.GetProperty("owner").GetString()!);
        Assert.Matches("^team/bob---co-[0-9a-f]{8}$", _bob.Owner);

        Assert.Equal("released", (await _ann.CallAsync("release", ("resource", "repo/main"))).Outcome);
        Assert.True((await _bob.CallAsync("acquire", ("resource", "repo/main"))).Token > held.Token);
    }

    [Fact]
    public async Task Lease_IsRenewedByItself_AndReleasedWhenTheSessionEnds()
    {
        await _ann.CallAsync("acquire", ("resource", "r"));
        await _world.AdvanceAsync(TimeSpan.FromMinutes(2));

        Assert.Equal(_ann.Owner, Assert.Single(_world.Look("r").Holders).Owner);
        Assert.Empty((await _ann.CallAsync("my_leases")).Lost);
        await _ann.DisposeAsync();
        Assert.Equal(LeaseStatus.Free, _world.Look("r").State);
    }

    [Fact]
    public async Task Loss_IsToldByWhateverIsCalledNext_UntilItIsReleased()
    {
        var held = await _ann.CallAsync("acquire", ("resource", "r"));
        await _world.LoseAsync("r");

        var looked = await _ann.CallAsync("get_key", ("key", "anything"));
        var wrote = await _ann.CallAsync("put_key", ("key", "k"), ("value", "v"), ("bound_to", "r"));
        var released = await _ann.CallAsync("release", ("resource", "r"));
        var after = await _ann.CallAsync("my_leases");

        Assert.Equal(["r"], looked.Lost);
        var lost = Assert.Single(looked["lost"].EnumerateArray());
        Assert.Equal(held.Token, lost.GetProperty("token").GetInt64());
        Assert.StartsWith("Stop this work at once", lost.GetProperty("next").GetString(), StringComparison.Ordinal);
        Assert.Equal(("not-held", true), (wrote.Outcome, wrote.IsError));
        Assert.Equal(["r"], wrote.Lost);
        Assert.Equal("was-lost", released.Outcome);
        Assert.Empty(after.Lost);
    }

    [Fact]
    public async Task Wait_IsBounded_SaysThatItGoesOn_AndKeepsItsPlace()
    {
        await _ann.CallAsync("acquire", ("resource", "r"));

        var waits = await _world.AdvanceUntilAsync(
            _bob.CallAsync("wait_for", ("resource", "r"), ("max_wait_seconds", 20)));

        Assert.Equal(("waiting", false), (waits.Outcome, waits.IsError));
        Assert.Contains("within 60 s to keep your place", waits.Next, StringComparison.Ordinal);
        Assert.Equal([_bob.Owner], waits["queue"].EnumerateArray().Select(waiter => waiter.GetString()));
        await AgentWorld.EventuallyAsync(() => !_bob.Progress.IsEmpty);
        Assert.All(_bob.Progress, report => Assert.Contains("'r' is still held by others", report.Message!, StringComparison.Ordinal));
        Assert.Equal("waiting", (await _bob.CallAsync("acquire", ("resource", "r"))).Outcome);

        await _ann.CallAsync("release", ("resource", "r"));

        // Granted in between: it is this agent's, and it is told so by what it calls next.
        await AgentWorld.EventuallyAsync(() => _world.Look("r").Holders is [var holder] && holder.Owner == _bob.Owner);
        Assert.Equal("held", (await _bob.CallAsync("wait_for", ("resource", "r"))).Outcome);
    }

    [Fact]
    public async Task Wait_ThatIsNotGoneOnWith_LeavesTheQueue()
    {
        await _ann.CallAsync("acquire", ("resource", "r"));
        await _world.AdvanceUntilAsync(_bob.CallAsync("wait_for", ("resource", "r"), ("max_wait_seconds", 1)));
        await _world.AdvanceAsync(TimeSpan.FromSeconds(61));

        await _ann.CallAsync("release", ("resource", "r"));

        await AgentWorld.EventuallyAsync(() => _world.Look("r").Holders.Count == 0);
        Assert.Empty((await _bob.CallAsync("my_leases"))["waiting_for"].EnumerateArray());
    }

    [Fact]
    public async Task Grant_ThatComesInBetween_AndIsNotAskedFor_IsReleased()
    {
        await _ann.CallAsync("acquire", ("resource", "r"));
        await _world.AdvanceUntilAsync(_bob.CallAsync("wait_for", ("resource", "r"), ("max_wait_seconds", 1)));
        await _ann.CallAsync("release", ("resource", "r"));
        await AgentWorld.EventuallyAsync(() => _world.Look("r").Holders.Any(holder => holder.Owner == _bob.Owner));

        await _world.AdvanceAsync(TimeSpan.FromSeconds(61));

        await AgentWorld.EventuallyAsync(() => _world.Look("r").Holders.Count == 0);
        Assert.Equal(LeaseEventKind.Released, (await _world.Service.HistoryAsync("r")).Value.Events[^1].Kind);
    }

    [Fact]
    public async Task Wait_IsLeftByARelease()
    {
        await _ann.CallAsync("acquire", ("resource", "r"));
        await _world.AdvanceUntilAsync(_bob.CallAsync("wait_for", ("resource", "r"), ("max_wait_seconds", 1)));

        Assert.Equal("left-queue", (await _bob.CallAsync("release", ("resource", "r"))).Outcome);

        await _ann.CallAsync("release", ("resource", "r"));
        await AgentWorld.EventuallyAsync(() => _world.Look("r").Holders.Count == 0);
    }

    [Fact]
    public async Task Holder_ThatIsAskedToHandOver_IsToldByItsNextCall()
    {
        await _ann.CallAsync("acquire", ("resource", "r"));

        var asked = await _bob.CallAsync(
            "ask_to_hand_over", ("resource", "r"), ("within_seconds", 60), ("reason", "a release is due"));
        await _world.AdvanceAsync(TimeSpan.FromSeconds(12));
        var told = await _ann.CallAsync("my_leases");

        Assert.Equal("asked", asked.Outcome);
        Assert.Equal(["r"], told.AskedToHandOver);
        Assert.Equal("a release is due", told["asked_to_hand_over"][0].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task HandOver_GivesAnotherAgentTheLease_UnderAHigherToken()
    {
        var held = await _ann.CallAsync("acquire", ("resource", "r"));
        var handed = await _ann.CallAsync("hand_over", ("resource", "r"), ("to", _bob.Owner));
        var seen = await _bob.CallAsync("who_holds", ("resource", "r"));
        var taken = await _bob.CallAsync("acquire", ("resource", "r"));

        Assert.Equal("handed-over", handed.Outcome);
        Assert.Contains("call acquire to take it up", seen.Next, StringComparison.Ordinal);
        Assert.Equal(("held", handed["new_token"].GetInt64()), (taken.Outcome, taken.Token));
        Assert.True(taken.Token > held.Token);
        Assert.Empty((await _ann.CallAsync("my_leases"))["held"].EnumerateArray());
        Assert.Equal("not-held", (await _ann.CallAsync("hand_over", ("resource", "r"), ("to", "x"))).Outcome);
        await _world.AdvanceAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(taken.Token, Assert.Single(_world.Look("r").Holders).Token);
    }

    [Fact]
    public async Task Key_ThatIsBound_IsGoneWithItsLease()
    {
        var held = await _ann.CallAsync("acquire", ("resource", "r"));
        var put = await _ann.CallAsync("put_key", ("key", "status/r"), ("value", "half done"), ("bound_to", "r"));
        var read = await _bob.CallAsync("get_key", ("key", "status/r"));
        var over = await _bob.CallAsync("put_key", ("key", "status/r"), ("value", "mine"), ("only_if_version", 0));

        Assert.Equal(("written", held.Token), (put.Outcome, put["token"].GetInt64()));
        Assert.Equal("half done", read["value"].GetString());
        Assert.Equal(("r", held.Token), (read["bound_to"].GetString(), read["token"].GetInt64()));
        Assert.Equal(("conflict", true), (over.Outcome, over.IsError));
        await _ann.CallAsync("release", ("resource", "r"));
        Assert.Equal("absent", (await _bob.CallAsync("get_key", ("key", "status/r"))).Outcome);
    }

    [Fact]
    public async Task Key_WithATimeOfItsOwn_IsGoneAfterIt()
    {
        var both = await _ann.CallAsync("put_key", ("key", "k"), ("value", "v"), ("bound_to", "r"), ("stays_seconds", 5));
        await _ann.CallAsync("put_key", ("key", "k"), ("value", "v"), ("stays_seconds", 5));

        Assert.Equal(("invalid-request", true), (both.Outcome, both.IsError));
        Assert.Equal("v", (await _bob.CallAsync("get_key", ("key", "k")))["value"].GetString());
        _world.Time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal("absent", (await _bob.CallAsync("get_key", ("key", "k"))).Outcome);
    }

    [Fact]
    public async Task Task_IsDoneOnce_AndByOneAgentAtATime()
    {
        var claimed = await _ann.CallAsync("claim_task", ("task", "tasks/1"));
        var again = await _ann.CallAsync("claim_task", ("task", "tasks/1"));
        var busy = await _bob.CallAsync("claim_task", ("task", "tasks/1"));
        var notMine = await _bob.CallAsync("finish_task", ("task", "tasks/1"));
        var finished = await _ann.CallAsync("finish_task", ("task", "tasks/1"), ("result", "42 files"));
        var done = await _bob.CallAsync("claim_task", ("task", "tasks/1"));

        Assert.Equal(("claimed", "claimed", claimed.Token), (claimed.Outcome, again.Outcome, again.Token));
        Assert.Equal(("busy", "not-claimed", "finished"), (busy.Outcome, notMine.Outcome, finished.Outcome));
        Assert.Equal(("done", "42 files"), (done.Outcome, done["result"].GetString()));
        Assert.Equal("done", (await _ann.CallAsync("finish_task", ("task", "tasks/1"))).Outcome);
        Assert.Empty(_world.Look("tasks/1").Holders);
    }

    [Fact]
    public async Task Task_WhoseClaimIsLost_IsNotMarked_AndAnotherDoesIt()
    {
        var first = await _ann.CallAsync("claim_task", ("task", "tasks/1"));
        await _world.LoseAsync("tasks/1");
        var second = await _bob.CallAsync("claim_task", ("task", "tasks/1"));

        var late = await _ann.CallAsync("finish_task", ("task", "tasks/1"));

        Assert.True(second.Token > first.Token);
        Assert.Equal(("not-claimed", true), (late.Outcome, late.IsError));
        Assert.Equal(["tasks/1"], late.Lost);
        Assert.Equal("finished", (await _bob.CallAsync("finish_task", ("task", "tasks/1"))).Outcome);
    }

    [Fact]
    public async Task Watch_TellsWhatChanged_FromCallToCall()
    {
        var state = await _world.AdvanceUntilAsync(_bob.CallAsync("watch", ("resource", "r")));
        await _ann.CallAsync("acquire", ("resource", "r"));
        await _ann.CallAsync("release", ("resource", "r"));

        var changed = await _world.AdvanceUntilAsync(
            _bob.CallAsync("watch", ("resource", "r"), ("since", state["since"].GetString())));
        var nothing = await _world.AdvanceUntilAsync(
            _bob.CallAsync("watch", ("resource", "r"), ("since", changed["since"].GetString()), ("max_wait_seconds", 2)));

        Assert.Equal("state", state["events"][0].GetProperty("event").GetString());
        Assert.Contains("granted", changed["events"].EnumerateArray().Select(change => change.GetProperty("event").GetString()));
        Assert.Equal("nothing", nothing.Outcome);
    }

    // Such as what turns the direction of text, or the tags in which text can be hidden.
    [Fact]
    public async Task Text_ThatOthersChose_ShowsAllThatItHas()
    {
        await _ann.CallAsync("acquire", ("resource", "r"), ("purpose", "x\u202E\U000E0041 é 漢"));

        var result = await _bob.Client.CallToolAsync("who_holds", new Dictionary<string, object?> { ["resource"] = "r" });

        var text = Assert.IsType<TextContentBlock>(Assert.Single(result.Content)).Text;
        Assert.Contains("\"x\\u202E\\uDB40\\uDC41 é 漢\"", text, StringComparison.Ordinal);
        Assert.Equal("x\u202E\U000E0041 é 漢", Answer.Of(result)["holders"][0].GetProperty("purpose").GetString());
    }

    [Theory]
    [InlineData("acquire", "resource", "a//b", "resource is 'a//b'")]
    [InlineData("acquire", "capacity", 3, "capacity goes with shared")]
    [InlineData("acquire", "max_hold_seconds", 0, "max_hold_seconds is 0; it takes 1 to 86400")]
    [InlineData("wait_for", "max_wait_seconds", 601, "max_wait_seconds is 601; it takes 1 to 600")]
    [InlineData("put_key", "stays_seconds", 0, "stays_seconds is 0; it takes 1 to 86400")]
    [InlineData("watch", "since", "x", "since is 'x'")]
    [InlineData("watch", "key", "k", "watch takes one of resource, key and prefix")]
    public async Task Argument_ThatIsWrong_IsNamed(string tool, string argument, object value, string expected)
    {
        (string, object?)[] needed = tool == "put_key" ? [("key", "k"), ("value", "v")] : argument == "resource" ? [] : [("resource", "r")];

        var answer = await _ann.CallAsync(tool, [.. needed, (argument, value)]);

        Assert.Equal(("invalid-request", true), (answer.Outcome, answer.IsError));
        Assert.Contains(expected, answer["detail"].GetString(), StringComparison.Ordinal);
        Assert.Empty(_world.Look("r").Holders);
    }

    [Fact]
    public async Task Service_ThatIsGone_IsToldAsAnError_AndTheLeaseAsLostOnceItsTimeIsOver()
    {
        await _ann.CallAsync("acquire", ("resource", "r"));
        await _world.Service.DisposeAsync();

        var refused = await _ann.CallAsync("acquire", ("resource", "s"));
        Assert.Equal(("unavailable", true), (refused.Outcome, refused.IsError));
        Assert.Empty(refused.Lost);

        _world.Time.Advance(AgentWorld.Ttl);
        Assert.Equal(["r"], (await _ann.CallAsync("my_leases")).Lost);
    }

    [Fact]
    public async Task Tools_SayWhatTheyAreFor_AndSoDoTheirArguments()
    {
        var tools = await _ann.Client.ListToolsAsync();

        Assert.Equal(
            [
                "acquire", "ask_to_hand_over", "claim_task", "finish_task", "get_key", "hand_over", "list_leases", "my_leases", "put_key",
                "release", "wait_for", "watch", "who_holds",
            ],
            tools.Select(tool => tool.Name).Order(StringComparer.Ordinal));
        Assert.All(tools, tool => Assert.True(tool.Description.Length > 80, tool.Name));
        Assert.All(
            tools.Where(tool => tool.JsonSchema.TryGetProperty("properties", out _))
                .SelectMany(tool => tool.JsonSchema.GetProperty("properties").EnumerateObject()),
            argument => Assert.True(argument.Value.TryGetProperty("description", out _), argument.Name));
        Assert.Contains("Stop that work at once", _ann.Client.ServerInstructions, StringComparison.Ordinal);
    }
}
