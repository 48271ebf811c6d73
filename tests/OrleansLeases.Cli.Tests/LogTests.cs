using System.Net.Http.Headers;
using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cli.Tests;

/// <summary>What a server logs: one line of its start with what matters, as text or as JSON, and none for a request.</summary>
public sealed class LogTests
{
    [Fact]
    public async Task Log_HasOneLineOfTheStart_AndNoneOfARequest()
    {
        await using var server = await ServerProcess.StartAsync("--memory");
        Assert.Equal(0, (await Tool.RunAsync(server.Address, "acquire", "r", "--owner", "ann")).Code);
        using var http = new HttpClient { BaseAddress = new(server.Address) };
        using var wrong = new StringContent("""{"resource":""}""", new MediaTypeHeaderValue("application/json"));
        await http.PostAsync(new Uri("v1/leases/acquire", UriKind.Relative), wrong);

        var lines = await LinesAsync(server);

        var start = Assert.Single(lines);
        Assert.Matches(
            @"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z info: OrleansLeases\.Server\[7001\] leases \S+ serves at http://127\.0\.0\.1:\d+: "
                + @"engine embedded-memory, kept in memory, epoch 0, grace \S+, credentials off\.$",
            start);
    }

    [Fact]
    public async Task Log_AsJson_HasAnObjectALine_WithTheEventAndWhatItIsAbout()
    {
        await using var server = await ServerProcess.StartAsync("--memory", "--log-format", "json");

        var start = JsonDocument.Parse(Assert.Single(await LinesAsync(server))).RootElement;

        Assert.Equal(7001, start.GetProperty("EventId").GetInt32());
        Assert.Equal("OrleansLeases.Server", start.GetProperty("Category").GetString());
        Assert.Equal("embedded-memory", start.GetProperty("State").GetProperty("Engine").GetString());
    }

    [Fact]
    public async Task Log_AtALevel_LeavesOutWhatIsBelow()
    {
        await using var server = await ServerProcess.StartAsync("--memory", "--log-level", "Debug;OrleansLeases=Warning");

        var lines = await LinesAsync(server);

        Assert.DoesNotContain(lines, line => line.Contains("OrleansLeases.Server", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("dbug: Microsoft", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("--log-format", "xml", "--log-format is 'xml'; it takes text or json.")]
    [InlineData("--log-level", "Loud", "--log-level has 'Loud'; it takes a level, or CATEGORY=LEVEL, and the levels are Trace, Debug")]
    [InlineData("--log-level", "OrleansLeases=7", "--log-level has 'OrleansLeases=7'")]
    public async Task Option_ThatIsWrong_IsNamedWithWhatItTakes(string option, string value, string said)
    {
        var result = await Tool.RunAsync(null, "serve", "--memory", option, value);

        Assert.Equal(2, result.Code);
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
    }

    private static async Task<string[]> LinesAsync(ServerProcess server)
    {
        Signals.Send(server.Tool.Id, Signals.Terminate);
        return (await server.Tool.ResultAsync()).Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
