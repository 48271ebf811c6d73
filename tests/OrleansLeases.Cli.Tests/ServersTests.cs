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
