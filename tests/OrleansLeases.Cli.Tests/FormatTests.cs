using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

public sealed class FormatTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    private readonly string _name = $"formats/{Guid.NewGuid():N}";

    [Fact]
    public async Task Quiet_PrintsAValueAlone()
    {
        var token = (await AskAsync("acquire", _name, "--owner", "ann", "--quiet")).Out;

        Assert.Matches("^[0-9]+\n$", token);
        Assert.Equal("ann\n", (await AskAsync("get", _name, "-q")).Out);
        Assert.Equal($"{_name}\n", (await AskAsync("list", "--prefix", _name, "-o", "name")).Out);
        Assert.Equal(
            long.Parse(token) + 1,
            long.Parse((await AskAsync("transfer", _name, "--owner", "ann", "--token", token.Trim(), "--to", "bob", "-q")).Out));
        Assert.Equal("1\n", (await AskAsync("key", "put", _name, "blue\nsky", "-q")).Out);
        Assert.Equal("blue\nsky\n", (await AskAsync("key", "get", _name, "-q")).Out);
        Assert.Equal($"{_name}\n", (await AskAsync("key", "list", "--prefix", _name, "-q")).Out);
        Assert.Equal("5\n", (await AskAsync("counter", "add", $"{_name}/n", "--delta", "5", "-q")).Out);
    }

    [Fact]
    public async Task Output_Json_IsWhatTheOptionPrints()
    {
        await AskAsync("acquire", _name, "--owner", "ann", "--ttl", "1h");
        string Stable(string json) => JsonDocument.Parse(json).RootElement.GetProperty("holders")[0].GetProperty("token").ToString();

        Assert.Equal(Stable((await AskAsync("get", _name, "--json")).Out), Stable((await AskAsync("get", _name, "-o", "json")).Out));
        Assert.Equal(3, (await AskAsync("acquire", _name, "-o", "json")).Code);
    }

    [Fact]
    public async Task Output_Yaml_IsTheJson_RefusalsToo()
    {
        await AskAsync("key", "put", _name, "no: \u202e\n");
        foreach (var asked in new string[][] { ["key", "get", _name], ["info"], ["key", "get", $"{_name}/none"], ["history", _name] })
        {
            var (json, yaml) = (await AskAsync([.. asked, "-o", "json"]), await AskAsync([.. asked, "-o", "yaml"]));
            Assert.Equal((json.Code, ""), (yaml.Code, yaml.Error));
            Assert.Equal(YamlTextTests.Shape(json.Out), YamlTextTests.Shape(YamlTextTests.Parse(yaml.Out)));
        }
    }

    [Fact]
    public async Task Output_Wide_HasAllColumns()
    {
        await AskAsync("acquire", _name, "--owner", "ann", "--shared", "--capacity", "3", "--ttl", "1h", "--meta", "room=12");
        await AskAsync("key", "put", _name, new string('x', 100));

        var text = await AskAsync("list", "--prefix", _name, "-o", "wide");
        Assert.Equal(["TTL", "CAPACITY", "KEYS", "METADATA"], Words(text.Out.Split('\n')[0])[^4..]);
        Assert.Equal(["1h", "3", "0", "room=12"], Words(text.Out.Split('\n')[1])[^4..]);
        var keys = await AskAsync("key", "list", "--prefix", _name, "-o", "wide");
        Assert.Contains(new string('x', 100), keys.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--output is 'xml'; it takes json, yaml, name, wide.", "list", "-o", "xml")]
    [InlineData("--output is 'wide'; it takes json, yaml, name.", "get", "r", "-o", "wide")]
    [InlineData("--output is 'name'; it takes json, yaml.", "info", "-o", "name")]
    [InlineData("Only one of --output and --json.", "info", "-o", "yaml", "--json")]
    [InlineData("Only one of --output, --quiet and --json.", "list", "-q", "--json")]
    [InlineData("--after is for one page; leave out it or --watch.", "list", "--watch", "--after", "a")]
    public async Task Formats_ThatDoNotFit_AreWrongUsage(string message, params string[] arguments)
    {
        var result = await AskAsync(arguments);
        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.StartsWith($"leases: {message}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_OnGetAndList_GoesOnWithWhatChanges()
    {
        var token = (await AskAsync("acquire", _name, "--owner", "ann", "--ttl", "1h", "-q")).Out.Trim();
        await using var get = Tool.Start(server.Address, "get", _name, "--watch", "--json");
        await using var list = Tool.Start(server.Address, "list", "--prefix", _name, "--watch");
        await using var events = Tool.Start(server.Address, "watch", _name, "-o", "yaml");
        await Eventually.TrueAsync(
            () => Lines(get).Length == 1 && Lines(list).Length == 2 && Lines(events).Length > 1, Printed);

        await AskAsync("release", _name, "--owner", "ann", "--token", token);
        await Eventually.TrueAsync(
            () => Lines(get).Length == 2 && Lines(list).Length == 3 && events.Out.Contains("event: released", StringComparison.Ordinal),
            Printed);

        Assert.Equal(["held", "free"], Lines(get).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("state").GetString()!));
        Assert.Equal([_name, "held", "ann"], Words(Lines(list)[1])[..3]);
        Assert.Equal([_name, "free", "-"], Words(Lines(list)[2])[..3]);
        // One document for each event.
        Assert.StartsWith("event: state\n", events.Out, StringComparison.Ordinal);
        Assert.Contains("\n---\nevent: released\n", events.Out, StringComparison.Ordinal);
        string Printed() => get.Out + get.Error + list.Out + list.Error + events.Out + events.Error;
    }

    private Task<ToolResult> AskAsync(params string[] arguments) => InProcess.RunAsync(server.Address, arguments);

    private static string[] Lines(Tool tool) => tool.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
