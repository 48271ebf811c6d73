using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>Several addresses of one service.</summary>
public sealed class ServersTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    private readonly string _resource = $"tests/{Guid.NewGuid():N}";
    private readonly string _away = $"http://127.0.0.1:{ScriptedServer.FreePort()}";

    [Fact]
    public async Task Servers_NamedOneByOne_AreAskedUntilOneAnswers() =>
        await AssertAcquiresAsync(
            await Tool.RunAsync(null, "acquire", _resource, "--server", _away, "--server", server.Address), $"{_away},{server.Address}");

    [Fact]
    public async Task Servers_NamedInAList_AreAskedUntilOneAnswers() =>
        await AssertAcquiresAsync(
            await Tool.RunAsync(null, "acquire", _resource, "--server", $"{_away}, {server.Address}"), $"{_away},{server.Address}");

    [Fact]
    public async Task Servers_OfTheEnvironment_AreAskedUntilOneAnswers() =>
        Assert.Equal(0, (await Tool.RunAsync($"{_away},{server.Address}", "acquire", _resource)).Code);

    [Fact]
    public async Task Servers_ThatAreAllAway_AreAllNamed()
    {
        var other = $"http://127.0.0.1:{ScriptedServer.FreePort()}";

        var result = await Tool.RunAsync($"{_away},{other}", "get", _resource);

        Assert.Equal((5, ""), (result.Code, result.Out));
        Assert.Contains($"Is one of the servers running: {_away}, {other}?", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1,nonsense", "nonsense")]
    [InlineData("", "")]
    [InlineData("http://127.0.0.1:1,", "")]
    public async Task Servers_WithOneThatIsNoAddress_AreWrongUsageThatNamesIt(string servers, string named)
    {
        var result = await Tool.RunAsync(null, "get", _resource, "--server", servers);

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.StartsWith(
            $"leases: --server is '{named}'; write an absolute http or https address", result.Error, StringComparison.Ordinal);
    }

    // The first one may have done it: the next would make a second key, or find nothing to revoke.
    [Theory]
    [InlineData("token", "create", "build", "--principal", "ci")]
    [InlineData("token", "revoke", "0123456789abcdef")]
    public async Task Change_WhoseAnswerIsLost_IsNotMadeAtTheNextServer(params string[] change)
    {
        await using var first = new ScriptedServer((0, ""));
        await using var second = new ScriptedServer((500, ""));

        var result = await Tool.RunAsync($"{first.Address},{second.Address}", change);

        Assert.Equal(5, result.Code);
        Assert.Contains(first.Address, result.Error, StringComparison.Ordinal);
        Assert.Equal(change[1] == "create", !result.Error.Contains("repeated safely", StringComparison.Ordinal));
        Assert.Equal((1, 0), (first.Bodies.Count, second.Bodies.Count));
    }

    [Fact]
    public async Task Change_ThatNoServerSaw_IsMadeAtTheNext_AndSoIsAReadInAnyCase()
    {
        await using var hangsUp = new ScriptedServer((0, ""));
        await using var answers = new ScriptedServer(
            (200, """{"id":"0123456789abcdef","existed":true}"""), (200, """{"principal":"ci","rules":[],"quotas":[]}"""));

        var changed = await Tool.RunAsync($"{_away},{answers.Address}", "token", "revoke", "0123456789abcdef");
        var read = await Tool.RunAsync($"{hangsUp.Address},{answers.Address}", "whoami");

        Assert.Equal((0, "revoked 0123456789abcdef\n"), (changed.Code, changed.Out));
        Assert.Equal((0, "ci\n", 1), (read.Code, read.Out, hangsUp.Bodies.Count));
    }

    [Fact]
    public async Task Run_WhenOneOfItsServersGoesAway_HoldsItsLeaseByTheOther()
    {
        using var family = new Family();
        await using var first = new Relay(server.Address);
        await using var second = new Relay(server.Address);
        await using var run = Tool.Start($"{first.Address},{second.Address}", ["run", _resource, "--ttl", "5s", .. family.Command]);
        await family.IsUpAsync(run);

        await first.DisposeAsync();
        var beyond = Family.Now() + 6_000_000_000;
        await Eventually.TrueAsync(
            () => family.LastBeat > beyond || run.HasExited, () => $"The command did not outlive its ttl: {run.Error}");
        family.LetParentEnd();

        Assert.Equal(0, (await run.ResultAsync()).Code);
    }

    private async Task AssertAcquiresAsync(ToolResult acquired, string servers)
    {
        Assert.Equal((0, ""), (acquired.Code, acquired.Error));
        Assert.Contains($" --server {servers}\n", acquired.Out, StringComparison.Ordinal);
        Assert.Equal(3, (await Tool.RunAsync(server.Address, "acquire", _resource)).Code);
    }
}
