using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

public sealed class StatusTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    private const string Nobody = "http://127.0.0.1:1";

    [Fact]
    public async Task Status_ShowsWhatIsHeldAndWhoWaits_OnOneScreen()
    {
        using var http = new HttpClient { BaseAddress = new Uri(server.Address) };
        for (var i = 0; i < 6; i++)
            await InProcess.RunAsync(server.Address, "acquire", $"status/{i}", "--owner", "ann", "--ttl", $"{i + 1}h");
        var waiting = http.PostAsync(
            "v1/leases/acquire",
            new StringContent(
                """{"resource":"status/5","owner":"bob","ttlMs":1000,"waitMs":25000}""", mediaType: new("application/json")));

        var text = await InProcess.RunAsync(server.Address, "status");
        await Eventually.TrueAsync(
            () => (text = InProcess.RunAsync(server.Address, "status").GetAwaiter().GetResult()).Out.Contains(
                "waiting  1\n", StringComparison.Ordinal),
            () => text.Out);
        var json = JsonDocument.Parse((await InProcess.RunAsync(server.Address, "status", "--json")).Out).RootElement;
        var leases = json.GetProperty("leases");

        Assert.Equal((0, ""), (text.Code, text.Error));
        Assert.StartsWith(
            $"server   {server.Address}: ready\nservice  embedded-memory, nothing survives a restart, version ", text.Out,
            StringComparison.Ordinal);
        Assert.Contains("\nstore    6 records of leases and keys\n", text.Out, StringComparison.Ordinal);
        Assert.Contains("\nWAITED FOR  OWNER  REMAINING  WAITING\nstatus/5    ann    5h 59m     1\n", text.Out, StringComparison.Ordinal);
        Assert.Contains("\nstatus/0                     ann    59m 5", text.Out, StringComparison.Ordinal);
        Assert.InRange(text.Out.Split('\n').Length, 10, 24);
        Assert.Equal((6, 1), (leases.GetProperty("held").GetInt32(), leases.GetProperty("waiting").GetInt32()));
        Assert.Equal("embedded-memory", json.GetProperty("info").GetProperty("engine").GetString());
        Assert.Equal("ready", json.GetProperty("members")[0].GetProperty("state").GetString());
        Assert.False(waiting.IsCompleted);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("info")]
    [InlineData("top")]
    public async Task Verb_WithoutAServer_Is5AndSaysHowToStartOne(string verb)
    {
        var result = await InProcess.RunAsync(Nobody, verb);
        Assert.Equal((5, ""), (result.Code, result.Out));
        Assert.Contains("leases serve", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_OfSeveralServers_TellsOfEach_AndIs5UnlessAllAreReady()
    {
        var one = await InProcess.RunAsync(server.Address, "health");
        var both = await InProcess.RunAsync($"{Nobody},{server.Address}", "health");
        var json = await InProcess.RunAsync($"{Nobody},{server.Address}", "health", "--json");

        Assert.Equal(new ToolResult(0, $"{server.Address}  ready\n", ""), one);
        Assert.Equal(5, both.Code);
        Assert.Matches($@"^{Nobody} +not ready: .+\n{server.Address} +ready\n$", both.Out);
        Assert.Equal(
            ["not-ready", "ready"],
            JsonDocument.Parse(json.Out).RootElement.GetProperty("servers").EnumerateArray().Select(
                asked => asked.GetProperty("status").GetString()));
    }

    [Fact]
    public async Task Info_IsThatOfTheServer()
    {
        var text = await InProcess.RunAsync(server.Address, "info");
        var json = JsonSerializer.Deserialize(
            (await InProcess.RunAsync(server.Address, "info", "--json")).Out, LeaseJson.Default.ServiceInfo)!;

        Assert.StartsWith("engine   embedded-memory, nothing survives a restart\n", text.Out, StringComparison.Ordinal);
        Assert.Contains($"\nversion  {json.Version}\n", text.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Top_WithoutATerminal_PrintsEachTimeBelowTheOneBefore()
    {
        var text = await InProcess.RunAsync(server.Address, "top", "--count", "2", "--interval", "100ms");
        var json = await InProcess.RunAsync(server.Address, "top", "--count", "1", "--json");

        Assert.Equal((0, ""), (text.Code, text.Error));
        Assert.Equal(2, text.Out.Split("; a second: ").Length - 1);
        Assert.DoesNotContain('\e', text.Out);
        Assert.Equal(0, JsonDocument.Parse(json.Out).RootElement.GetProperty("perSecond").GetProperty("granted").GetDouble());
    }
}
