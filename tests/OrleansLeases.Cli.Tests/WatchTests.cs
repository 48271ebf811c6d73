using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

public sealed class WatchTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    private readonly string _name = $"tests/{Guid.NewGuid():N}";

    [Fact]
    public async Task Watch_OfAResource_TellsItsStateAndEachChangeInALine()
    {
        var token = await AcquireAsync("ann");
        await using var watch = await WatchAsync(1, _name);
        await AskAsync("break", _name, "--grace", "0s", "--force", "--reason", "up keep");
        var lines = await LinesAsync(watch, 3);

        Assert.Equal($"now           state        {_name}  held by ann, token {token}", lines[0]);
        Assert.Matches($@"^\d\d:\d\d:\d\d\.\d{{3}}  breaking     {_name}  ann, token {token}: up keep$", lines[1]);
        Assert.Matches($@"^\d\d:\d\d:\d\d\.\d{{3}}  broken       {_name}  ann, token {token}: up keep$", lines[2]);
    }

    [Fact]
    public async Task Watch_OfAKey_TellsItsValuesInALine()
    {
        var token = await AcquireAsync("ann");
        await using var watch = await WatchAsync(1, "--key", _name);
        await AskAsync("key", "put", _name, "blue\nsky");
        await AskAsync("key", "put", _name, "red", "--lease", _name, "--owner", "ann", "--token", token);
        await AskAsync("release", _name, "--owner", "ann", "--token", token);
        var lines = await LinesAsync(watch, 4);

        Assert.Equal($"now           state        {_name}  no such key", lines[0]);
        Assert.EndsWith($"  key-put      {_name}  version 1: blue\\u000asky", lines[1], StringComparison.Ordinal);
        Assert.EndsWith($"  key-put      {_name}  version 2, lease {_name}, token {token}: red", lines[2], StringComparison.Ordinal);
        Assert.EndsWith($"  key-deleted  {_name}  version 3", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_WithJson_PrintsEachEventAsOnTheWire_AndItsIdIsWhereToGoOn()
    {
        await AskAsync("key", "put", _name, "blue");
        await using var watch = await WatchAsync(1, "--key", _name, "--json");
        await AskAsync("key", "put", _name, "red");
        var told = JsonDocument.Parse((await LinesAsync(watch, 2))[1]).RootElement;
        await AskAsync("key", "delete", _name);
        await using var again = await WatchAsync(1, "--key", _name, "--json", "--since", told.GetProperty("id").GetString()!);

        Assert.Equal(["event", "id", "data"], told.EnumerateObject().Select(property => property.Name));
        Assert.Equal("key-put", told.GetProperty("event").GetString());
        var change = told.GetProperty("data").Deserialize(LeaseJson.Default.KeyChange)!;
        Assert.Equal((_name, 2, KeyEventKind.KeyPut, "red"), (change.Key, change.Version, change.Kind, change.Value));
        Assert.Equal("key-deleted", JsonDocument.Parse((await LinesAsync(again, 1))[0]).RootElement.GetProperty("event").GetString());
    }

    [Fact]
    public async Task Watch_OfAPrefix_TellsOfResourcesAndKeys()
    {
        await using var watch = await WatchAsync(0, "--prefix", _name, "--json");
        // A watch of a prefix begins with nothing; so it is started when it tells of something.
        for (var i = 0; watch.Out.Length == 0; i++) await AskAsync("key", "put", $"{_name}/key", $"{i}");
        await AcquireAsync("ann");
        await Eventually.TrueAsync(() => watch.Out.Contains("\"granted\"", StringComparison.Ordinal), () => watch.Out + watch.Error);

        Assert.All(
            watch.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.DoesNotContain("\"id\"", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Watch_ThroughARestartOfTheServer_GoesOn()
    {
        var folder = Directory.CreateTempSubdirectory("orleans-leases-");
        var first = await ServerProcess.StartAsync("--data", folder.FullName);
        await using var watch = Tool.Start(first.Address, "watch", "--key", _name, "--json");
        await LinesAsync(watch, 1);
        await Tool.RunAsync(first.Address, "key", "put", _name, "1");
        await first.DisposeAsync();
        await Eventually.TrueAsync(() => watch.Error.Contains("broke", StringComparison.Ordinal), () => watch.Error);
        await using (var second = await ServerProcess.StartAsync("--data", folder.FullName, "--urls", first.Address))
        {
            await Tool.RunAsync(second.Address, "key", "put", _name, "2");
            Assert.Equal(["state 0-0", "key-put 1-0", "key-put 2-0"], (await LinesAsync(watch, 3)).Select(line =>
            {
                var told = JsonDocument.Parse(line).RootElement;
                return $"{told.GetProperty("event")} {told.GetProperty("id")}";
            }));
            Assert.StartsWith("leases: the connection to the server broke; ", watch.Error, StringComparison.Ordinal);
            Assert.EndsWith("leases: a server answers again; the watch goes on\n", watch.Error, StringComparison.Ordinal);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Watch_WithoutAServer_Is5()
    {
        var result = await Tool.RunAsync("http://127.0.0.1:1", "watch", "r");
        Assert.Equal((5, ""), (result.Code, result.Out));
        Assert.Contains("leases serve", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("watch takes one of RESOURCE, --key and --prefix")]
    [InlineData("watch takes one of RESOURCE, --key and --prefix", "r", "--key", "k")]
    [InlineData("--since goes with RESOURCE or --key", "--prefix", "r", "--since", "1")]
    [InlineData("--since is 'x'", "r", "--since", "x")]
    public async Task Watch_OfSomethingElse_IsWrongUsage(string message, params string[] arguments)
    {
        var result = await AskAsync(["watch", .. arguments]);
        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.Contains(message, result.Error, StringComparison.Ordinal);
    }

    private Task<ToolResult> AskAsync(params string[] arguments) => Tool.RunAsync(server.Address, arguments);

    private async Task<string> AcquireAsync(string owner)
    {
        var grant = await AskAsync("acquire", _name, "--owner", owner, "--ttl", "1h", "--json");
        return $"{JsonSerializer.Deserialize(grant.Out, LeaseJson.Default.LeaseGrant)!.Token}";
    }

    /// <summary>Starts a watch and waits for so many lines.</summary>
    private async Task<Tool> WatchAsync(int lines, params string[] arguments)
    {
        var watch = Tool.Start(server.Address, ["watch", .. arguments]);
        await LinesAsync(watch, lines);
        return watch;
    }

    private static async Task<string[]> LinesAsync(Tool watch, int count)
    {
        string[] lines = [];
        await Eventually.TrueAsync(
            () => (lines = watch.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)).Length >= count,
            () => $"There are not {count} lines: {watch.Out}{watch.Error}");
        return lines;
    }
}
