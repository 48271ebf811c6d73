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
        Assert.Equal(
            (_resource, "ann", TimeSpan.FromSeconds(20), "r1", false),
            (grant.Resource, grant.Owner, grant.Ttl, grant.RequestId, grant.Replayed));
        Assert.True(
            JsonSerializer.Deserialize(
                (await AskAsync("acquire", _resource, "--owner", "ann", "--ttl", "20s", "--request-id", "r1", "--json")).Out,
                LeaseJson.Default.LeaseGrant)!.Replayed);
    }

    [Fact]
    public async Task Acquire_WithoutAnOwner_IsADifferentOneEachTime()
    {
        var first = Json(await AskAsync("acquire", _resource, "--shared", "--json"));
        var second = Json(await AskAsync("acquire", _resource, "--shared", "--json"));
        Assert.NotEqual(first.GetProperty("owner").GetString(), second.GetProperty("owner").GetString());
    }

    [Fact]
    public async Task Acquire_ToBeHeldAtLeast_KeepsOthersOutAfterTheRelease()
    {
        var grant = Json(await AskAsync("acquire", _resource, "--owner", "ann", "--hold-at-least", "1h", "--json"));
        await AskAsync("release", _resource, "--owner", "ann", "--token", grant.GetProperty("token").ToString());

        var result = await AskAsync("acquire", _resource, "--owner", "bob");

        Assert.Equal((3, ""), (result.Code, result.Out));
        Assert.Contains("is to be held for", result.Error, StringComparison.Ordinal);
        Assert.Equal("delayed", Json(await AskAsync("get", _resource, "--json")).GetProperty("state").GetString());
        Assert.Contains(" at the latest\n", (await AskAsync("get", _resource)).Out, StringComparison.Ordinal);
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
        await Eventually.TrueAsync(() => HasWaiter().GetAwaiter().GetResult(), () => $"bob never got in the queue: {waiting.Error}");

        var queue = (await AskAsync("get", _resource)).Out;
        await AskAsync("release", _resource, "--owner", "ann", "--token", token);

        Assert.Contains("\nPOSITION  WAITS  MODE       FOR\n1         bob    exclusive  ", queue, StringComparison.Ordinal);
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
        Assert.StartsWith(
            $"transferred  {_resource}\nowner        bob\ntoken        {long.Parse(token, CultureInfo.InvariantCulture)
                + 1}\n", result.Out, StringComparison.Ordinal);
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

        var text = await AskAsync("get", _resource, "--consistent");
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
        var json = JsonSerializer.Deserialize(
            (await AskAsync("list", "--prefix", _resource, "--owner", "bob", "--json")).Out, LeaseJson.Default.LeasePage)!;
        var free = await AskAsync("list", "--prefix", _resource, "--state", "free");

        Assert.Equal(3, all.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains($"{_resource}  ", first.Out, StringComparison.Ordinal);
        Assert.Contains("--after ", first.Error, StringComparison.Ordinal);
        Assert.Empty(json.Leases);
        Assert.Equal(("", "leases: there are no such leases\n"), (free.Out, free.Error));
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

    [Fact]
    public async Task Key_FromPutToDelete_TellsItsVersions()
    {
        var put = await AskAsync("key", "put", _resource, "blue");
        var again = await AskAsync("key", "put", _resource, "red", "--if-version", "1", "--json");
        var stale = await AskAsync("key", "put", _resource, "green", "--if-version", "1");
        var get = await AskAsync("key", "get", _resource);
        var raw = await AskAsync("key", "get", _resource, "--raw");
        var deleted = await AskAsync("key", "delete", _resource);
        var gone = await AskAsync("key", "get", _resource, "--json");
        var repeated = await AskAsync("key", "delete", _resource);

        Assert.Equal((0, $"put      {_resource}\nversion  1\n"), (put.Code, put.Out));
        Assert.Equal(2, Json(again).GetProperty("version").GetInt32());
        Assert.Equal((1, ""), (stale.Code, stale.Out));
        Assert.Contains("has version 2", stale.Error, StringComparison.Ordinal);
        Assert.Equal((0, $"key      {_resource}\nvalue    red\nversion  2\n"), (get.Code, get.Out));
        Assert.Equal("red", raw.Out.TrimEnd('\n'));
        Assert.Equal((0, $"deleted  {_resource}\n"), (deleted.Code, deleted.Out));
        Assert.Equal((1, "urn:orleans-leases:not-found"), (gone.Code, Json(gone).GetProperty("type").GetString()));
        Assert.Equal((0, $"not there  {_resource}\n"), (repeated.Code, repeated.Out));
    }

    [Fact]
    public async Task Key_BoundToALease_EndsWithIt()
    {
        var token = await AcquireAsync("ann");
        await AskAsync("key", "put", $"{_resource}/free", "1");
        var put = await AskAsync("key", "put", $"{_resource}/bound", "1", "--lease", _resource, "--owner", "ann", "--token", token);
        var list = await AskAsync("key", "list", "--prefix", _resource);
        await AskAsync("release", _resource, "--owner", "ann", "--token", token);
        var after = await AskAsync("key", "list", "--prefix", _resource, "--json");
        var late = await AskAsync("key", "put", $"{_resource}/bound", "1", "--lease", _resource, "--owner", "ann", "--token", token);

        Assert.Equal((0, ""), (put.Code, put.Error));
        Assert.Equal(3, list.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Equal($"{_resource}/free", Assert.Single(Json(after).GetProperty("keys").EnumerateArray()).GetProperty("key").GetString());
        Assert.Equal((4, ""), (late.Code, late.Out));
    }

    [Theory]
    [InlineData("--lease", "r")]
    [InlineData("--token", "1")]
    [InlineData("--owner", "ann")]
    public async Task Key_WithAPartOfALease_Is2(string option, string value)
    {
        var result = await AskAsync("key", "put", _resource, "1", option, value);
        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.Contains("--lease", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Counter_Add_TellsTheSum()
    {
        var first = await AskAsync("counter", "add", _resource, "--request-id", "once");
        var repeated = await AskAsync("counter", "add", _resource, "--request-id", "once", "--json");
        var less = await AskAsync("counter", "add", _resource, "--delta", "-5", "--json");

        Assert.Equal((0, $"counter  {_resource}\nvalue    1\nversion  1\n"), (first.Code, first.Out));
        Assert.Equal((1, true), (Json(repeated).GetProperty("value").GetInt32(), Json(repeated).GetProperty("replayed").GetBoolean()));
        Assert.Equal(-4, Json(less).GetProperty("value").GetInt32());
    }

    [Theory]
    [InlineData("--ttl is 0; it takes 100ms to 24h.", "acquire", "r", "--ttl", "0")]
    [InlineData("--ttl is 48h; it takes 100ms to 24h.", "run", "r", "--ttl", "48h", "--", "true")]
    [InlineData("--grace is 99h; it takes 0 to 24h.", "break", "r", "--reason", "x", "--grace", "99h")]
    [InlineData("--to is empty;", "transfer", "r", "--owner", "ann", "--token", "1", "--to", "")]
    [InlineData("--request-id has 0 bytes", "acquire", "r", "--request-id", "")]
    [InlineData("--page-size is 1001;", "list", "--page-size", "1001")]
    [InlineData("RESOURCE is empty;", "acquire", "")]
    [InlineData("KEY takes 1 to 512 bytes", "key", "get", "")]
    public async Task Refusal_OfWhatWasAskedFor_NamesTheOption(string message, params string[] arguments)
    {
        var result = await AskAsync(arguments);

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.StartsWith($"leases: {message}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NamesOfOthers_ThatWouldNotShowAsTheyAre_AreShownWithEscapes()
    {
        await AcquireAsync("ann\u202e\u200b", "--meta", "room=\u2066x");
        string[][] verbs = [["get", _resource], ["list", "--prefix", _resource], ["history", _resource], ["acquire", _resource]];
        foreach (var verb in verbs)
        {
            var result = await AskAsync(verb);
            Assert.Contains("ann\\u202e\\u200b", result.Out + result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain(result.Out + result.Error, char.IsSurrogate);
            Assert.DoesNotContain('\u202e', result.Out + result.Error);
            Assert.DoesNotContain('\u2066', result.Out + result.Error);
        }
    }

    private async Task<string> AcquireAsync(string owner, params string[] more) =>
        Json(await AskAsync(["acquire", _resource, "--owner", owner, "--json", .. more])).GetProperty("token").GetInt64().ToString(
            CultureInfo.InvariantCulture);

    private Task<ToolResult> AskAsync(params string[] arguments) => Tool.RunAsync(server.Address, arguments);

    private static JsonElement Json(ToolResult result) => JsonDocument.Parse(result.Out).RootElement;
}
