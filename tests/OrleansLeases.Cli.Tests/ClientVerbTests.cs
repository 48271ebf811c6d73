using System.Globalization;
using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

public sealed class ClientVerbTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    private readonly string _resource = $"tests/{Guid.NewGuid():N}";

    [Fact]
    public async Task Acquire_OfAFreeResource_TellsTheTokenAndWhatToDoNext()
    {
        var result = await AskAsync("acquire", _resource, "--owner", "ann o'hara", "--ttl", "30s");

        Assert.Equal((0, ""), (result.Code, result.Error));
        Assert.StartsWith($"acquired   {_resource}\nowner      ann o'hara\ntoken      ", result.Out, StringComparison.Ordinal);
        Assert.Contains($"leases release {_resource} --owner 'ann o'\\''hara' --token ", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acquire_WithJson_PrintsTheGrantOfTheWire()
    {
        var result = await AskAsync("acquire", _resource, "--owner", "ann", "--ttl", "20s", "--request-id", "r1", "--json");

        var grant = JsonSerializer.Deserialize(result.Out, LeaseJson.Default.LeaseGrant)!;
        Assert.Equal((0, ""), (result.Code, result.Error));
        Assert.Equal((_resource, "ann", TimeSpan.FromSeconds(20), "r1", false), (grant.Resource, grant.Owner, grant.Ttl, grant.RequestId, grant.Replayed));
        Assert.True(JsonSerializer.Deserialize((await AskAsync("acquire", _resource, "--owner", "ann", "--ttl", "20s", "--request-id", "r1", "--json")).Out, LeaseJson.Default.LeaseGrant)!.Replayed);
    }

    [Fact]
    public async Task Acquire_WithoutAnOwner_IsADifferentOneEachTime()
    {
        var first = Json(await AskAsync("acquire", _resource, "--shared", "--json"));
        var second = Json(await AskAsync("acquire", _resource, "--shared", "--json"));
        Assert.NotEqual(first.GetProperty("owner").GetString(), second.GetProperty("owner").GetString());
    }

    [Fact]
    public async Task Acquire_OfAHeldResource_Is3AndNamesTheHolder()
    {
        await AskAsync("acquire", _resource, "--owner", "ann");

        var result = await AskAsync("acquire", _resource, "--owner", "bob");
        var json = await AskAsync("acquire", _resource, "--owner", "bob", "--json");

        Assert.Equal((3, ""), (result.Code, result.Out));
        Assert.Contains("  ann  exclusive  ", result.Error, StringComparison.Ordinal);
        Assert.Contains("--wait 1m", result.Error, StringComparison.Ordinal);
        Assert.Equal((3, "", "urn:orleans-leases:held"), (json.Code, json.Error, Json(json).GetProperty("type").GetString()));
    }

    [Fact]
    public async Task Acquire_ThatWaits_IsGrantedAfterTheRelease()
    {
        var token = await AcquireAsync("ann");
        await using var waiting = Tool.Start(server.Address, "acquire", _resource, "--owner", "bob", "--wait", "10m");
        await Eventually.TrueAsync(() => HasWaiter().GetAwaiter().GetResult(), () => $"bob never got in line: {waiting.Error}");

        await AskAsync("release", _resource, "--owner", "ann", "--token", token);

        Assert.Equal(0, (await waiting.ResultAsync()).Code);
        async Task<bool> HasWaiter() => Json(await AskAsync("get", _resource, "--json")).GetProperty("waiters").GetInt32() == 1;
    }

    [Fact]
    public async Task Acquire_WhoseWaitRunsOut_Is3()
    {
        await AcquireAsync("ann");
        var result = await AskAsync("acquire", _resource, "--owner", "bob", "--wait", "200ms");
        Assert.Equal(3, result.Code);
        Assert.Contains("The wait of 200ms ran out.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renew_ByItsHolder_TellsWhatIsLeft()
    {
        var token = await AcquireAsync("ann");

        var text = await AskAsync("renew", _resource, "--owner", "ann", "--token", token, "--ttl", "1m");
        var json = await AskAsync("renew", _resource, "--owner", "ann", "--token", token, "--json");

        Assert.Equal((0, ""), (text.Code, text.Error));
        Assert.StartsWith($"renewed    {_resource}\ntoken      {token}\nremaining  ", text.Out, StringComparison.Ordinal);
        Assert.Equal(60_000, Json(json).GetProperty("ttlMs").GetInt32());
    }

    [Theory]
    [InlineData("renew")]
    [InlineData("release")]
    [InlineData("transfer")]
    public async Task Change_BySomebodyElse_Is4(string verb)
    {
        var token = await AcquireAsync("ann");
        string[] more = verb == "transfer" ? ["--to", "eve"] : [];

        var text = await AskAsync([verb, _resource, "--owner", "bob", "--token", token, .. more]);
        var json = await AskAsync([verb, _resource, "--owner", "bob", "--token", token, "--json", .. more]);

        Assert.Equal((4, ""), (text.Code, text.Out));
        Assert.NotEmpty(text.Error);
        Assert.Equal((4, "never-held"), (json.Code, Json(json).GetProperty("reason").GetString()));
    }

    [Fact]
    public async Task Release_ByItsHolder_FreesItAndCanBeRepeated()
    {
        var token = await AcquireAsync("ann");

        var first = await AskAsync("release", _resource, "--owner", "ann", "--token", token);
        var second = await AskAsync("release", _resource, "--owner", "ann", "--token", token, "--json");

        Assert.Equal((0, $"released  {_resource}\ntoken     {token}\n"), (first.Code, first.Out));
        Assert.True(Json(second).GetProperty("replayed").GetBoolean());
    }

    [Fact]
    public async Task Transfer_ByItsHolder_TellsTheNewOwnersToken()
    {
        var token = await AcquireAsync("ann");

        var result = await AskAsync("transfer", _resource, "--owner", "ann", "--token", token, "--to", "bob");

        Assert.Equal(0, result.Code);
        Assert.StartsWith($"transferred  {_resource}\nowner        bob\ntoken        {long.Parse(token, CultureInfo.InvariantCulture) + 1}\n", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Break_WithForce_EndsItAtOnce()
    {
        var token = await AcquireAsync("ann");

        var text = await AskAsync("break", _resource, "--reason", "stuck", "--force");
        var history = await AskAsync("history", _resource);

        Assert.Equal((0, $"broken  {_resource}\ntoken   {token}\nends    now\n"), (text.Code, text.Out));
        Assert.Contains("broken", history.Out, StringComparison.Ordinal);
        Assert.Contains("stuck", history.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Break_WithNotice_TellsWhenItEnds()
    {
        await AcquireAsync("ann");
        var result = await AskAsync("break", _resource, "--reason", "stuck", "--grace", "1h", "--json");
        Assert.InRange(Json(result).GetProperty("endsInMs").GetInt64(), 3_590_000, 3_600_000);
    }

    [Fact]
    public async Task Get_OfAHeldResource_ShowsItsHolders()
    {
        var token = await AcquireAsync("ann", "--meta", "room=12", "--meta", "floor=3");

        var text = await AskAsync("get", _resource, "--fresh");
        var json = JsonSerializer.Deserialize((await AskAsync("get", _resource, "--json")).Out, LeaseJson.Default.LeaseInfo)!;

        Assert.StartsWith($"resource    {_resource}\nstate       held\n", text.Out, StringComparison.Ordinal);
        Assert.Contains($"\nann    {token}", text.Out, StringComparison.Ordinal);
        Assert.Equal("12", json.Holders[0].Metadata["room"]);
    }

    [Fact]
    public async Task List_WithAPrefix_ShowsOnlyThoseAndHowToGoOn()
    {
        var token = await AcquireAsync("ann");
        await AskAsync("acquire", $"{_resource}/more", "--owner", "ann");

        var all = await AskAsync("list", "--prefix", _resource);
        var first = await AskAsync("list", "--prefix", _resource, "--page-size", "1");
        var json = JsonSerializer.Deserialize((await AskAsync("list", "--prefix", _resource, "--owner", "bob", "--json")).Out, LeaseJson.Default.LeasePage)!;
        var free = await AskAsync("list", "--prefix", _resource, "--state", "free");

        Assert.Equal(3, all.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains($"{_resource}  ", first.Out, StringComparison.Ordinal);
        Assert.Contains("--after ", first.Error, StringComparison.Ordinal);
        Assert.Empty(json.Leases);
        Assert.Equal("No leases.\n", free.Out);
        Assert.NotEmpty(token);
    }

    [Fact]
    public async Task History_OfAResource_TellsEachEvent()
    {
        var token = await AcquireAsync("ann");
        await AskAsync("release", _resource, "--owner", "ann", "--token", token);

        var text = await AskAsync("history", _resource);
        var json = JsonSerializer.Deserialize((await AskAsync("history", _resource, "--json")).Out, LeaseJson.Default.LeaseHistory)!;

        Assert.Equal(0, text.Code);
        Assert.Equal(3, text.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal([LeaseEventKind.Granted, LeaseEventKind.Released], json.Events.Select(told => told.Kind));
    }

    private async Task<string> AcquireAsync(string owner, params string[] more) =>
        Json(await AskAsync(["acquire", _resource, "--owner", owner, "--json", .. more])).GetProperty("token").GetInt64().ToString(CultureInfo.InvariantCulture);

    private Task<ToolResult> AskAsync(params string[] arguments) => Tool.RunAsync(server.Address, arguments);

    private static JsonElement Json(ToolResult result) => JsonDocument.Parse(result.Out).RootElement;
}
