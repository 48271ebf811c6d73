using System.Text.Json;
using ModelContextProtocol.Client;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cli.Tests.Mcp;

/// <summary><c>leases mcp</c> as the process that an agent's program starts.</summary>
public sealed class McpCommandTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    private const string Begin =
        """
        {"jsonrpc":"2.0","id":1,"method":"initialize","params":{
        "protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}
        """;

    private const string Begun = """{"jsonrpc":"2.0","method":"notifications/initialized"}""";

    [Fact]
    public async Task Agent_HoldsALease_UntilItsProgramCloses()
    {
        await using (var agent = await ConnectAsync())
        {
            var held = Answer.Of(await agent.CallToolAsync("acquire", new Dictionary<string, object?> { ["resource"] = "mcp/closes" }));

            Assert.Equal("held", held.Outcome);
            var shown = (await Tool.RunAsync(server.Address, "get", "mcp/closes", "--json")).Out;
            Assert.Contains($"\"token\":{held.Token},", shown, StringComparison.Ordinal);
        }

        await Eventually.TrueAsync(() => StateOfAsync("mcp/closes").Result == "free", () => "It was not released.");
    }

    // Whatever is on standard output is the protocol's, and what the process holds is released before it ends.
    [Fact]
    public async Task Agent_ThatIsToldToEnd_ReleasesItsLease_AndHasSaidNothingElse()
    {
        await using var tool = Tool.Start(server.Address, "mcp", "--owner", "ann", "--ttl", "1h");
        await tool.TypeAsync($"{Begin.ReplaceLineEndings("")}\n{Begun}\n");
        await tool.TypeAsync(Call("acquire", """{"resource":"mcp/ended"}"""));
        await Eventually.TrueAsync(() => tool.Out.Contains("ann/raw-", StringComparison.Ordinal), () => tool.Out + tool.Error);
        Assert.Contains("ModelContextProtocol", await tool.LoadedAsync(), StringComparison.Ordinal);

        Signals.Send(tool.Id, Signals.Terminate);
        var result = await tool.ResultAsync();

        Assert.Equal((0, ""), (result.Code, result.Error));
        Assert.All(
            result.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            line => Assert.Equal("2.0", JsonDocument.Parse(line).RootElement.GetProperty("jsonrpc").GetString()));
        Assert.Equal("free", await StateOfAsync("mcp/ended"));
    }

    [Fact]
    public async Task Agent_ThatIsKilled_IsFollowedByTheNext()
    {
        await using var killed = Tool.Start(server.Address, "mcp", "--ttl", "3s");
        await killed.TypeAsync($"{Begin.ReplaceLineEndings("")}\n{Begun}\n");
        await killed.TypeAsync(Call("claim_task", """{"task":"mcp/task"}"""));
        await Eventually.TrueAsync(
            () => killed.Out.Contains("claimed", StringComparison.Ordinal), () => killed.Out + killed.Error);
        Signals.Send(killed.Id, Signals.Kill);

        await using var next = await ConnectAsync();
        var claimed = Answer.Of(await next.CallToolAsync(
            "claim_task", new Dictionary<string, object?> { ["task"] = "mcp/task", ["max_wait_seconds"] = 30 }));

        Assert.Equal("claimed", claimed.Outcome);
    }

    [Fact]
    public async Task Agent_WhoseProgramCloses_IsNotWaitedFor()
    {
        await using var other = Tool.Start(server.Address, "mcp");
        await other.TypeAsync($"{Begin.ReplaceLineEndings("")}\n{Begun}\n{Call("acquire", """{"resource":"mcp/busy"}""")}");
        await Eventually.TrueAsync(() => other.Out.Contains("held", StringComparison.Ordinal), () => other.Out + other.Error);
        await using var tool = Tool.Start(server.Address, "mcp", "--ttl", "1h");
        await tool.TypeAsync($"{Begin.ReplaceLineEndings("")}\n{Begun}\n{Call("acquire", """{"resource":"mcp/eof"}""")}");
        await Eventually.TrueAsync(() => tool.Out.Contains("held", StringComparison.Ordinal), () => tool.Out + tool.Error);

        await tool.TypeAsync(Call("wait_for", """{"resource":"mcp/busy","max_wait_seconds":600}"""));
        tool.CloseInput();

        Assert.Equal((0, ""), await tool.ResultAsync() is var ended ? (ended.Code, ended.Error) : default);
        Assert.Equal("free", await StateOfAsync("mcp/eof"));
    }

    // A page's author gives the address a name; a browser in the network then calls it under that.
    [Fact]
    public async Task Server_ThatOthersReach_IsCalledUnderNoNameButItsOwn()
    {
        await using var tool = Tool.Start(
            server.Address, "mcp", "--http", "http://0.0.0.0:0", "--insecure", "--allowed-hosts", "mcp.example.org");
        await Eventually.TrueAsync(() => tool.Out.Contains('\n', StringComparison.Ordinal), () => tool.Error);
        var port = tool.Out.Split('\n')[0].Split(':')[^1];
        using var http = new HttpClient();

        async Task<System.Net.HttpStatusCode> CallAsync(string host)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"http://127.0.0.1:{port}/mcp");
            request.Content = new StringContent(Begin, System.Text.Encoding.UTF8, "application/json");
            request.Headers.Accept.ParseAdd("application/json, text/event-stream");
            request.Headers.Host = host;
            using var answer = await http.SendAsync(request);
            return answer.StatusCode;
        }

        Assert.Equal(System.Net.HttpStatusCode.OK, await CallAsync($"mcp.example.org:{port}"));
        Assert.Equal(System.Net.HttpStatusCode.OK, await CallAsync($"127.0.0.1:{port}"));
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, await CallAsync($"rebound.example.org:{port}"));
    }

    // A verb that is not about agents starts no slower for it.
    [Fact]
    public async Task Server_HasNothingOfTheProtocolLoaded() =>
        Assert.DoesNotContain("ModelContextProtocol", await server.Tool.LoadedAsync(), StringComparison.Ordinal);

    [Fact]
    public async Task Agent_WithoutAServer_IsToldSo()
    {
        await using var tool = Tool.Start("http://127.0.0.1:9", "mcp");
        await tool.TypeAsync($"{Begin.ReplaceLineEndings("")}\n{Begun}\n");
        await tool.TypeAsync(Call("acquire", """{"resource":"r"}"""));

        await Eventually.TrueAsync(() => tool.Out.Contains("\"unavailable\"", StringComparison.Ordinal), () => tool.Out + tool.Error);
    }

    [Theory]
    [InlineData("--idle goes with --http", "--idle", "1m")]
    [InlineData("--http has '0.0.0.0:1'", "--http", "0.0.0.0:1")]
    [InlineData("--cert and --key go together", "--http", "https://127.0.0.1:0", "--cert", "x")]
    [InlineData("listen on loopback", "--http", "http://0.0.0.0:0")]
    [InlineData("--allowed-hosts under which names", "--http", "http://0.0.0.0:0", "--insecure")]
    public async Task CommandLine_ThatIsWrong_IsRefused(string expected, params string[] arguments)
    {
        var result = await InProcess.RunAsync(server.Address, ["mcp", .. arguments]);

        Assert.Equal(2, result.Code);
        Assert.Contains(expected, result.Error, StringComparison.Ordinal);
    }

    private async Task<McpClient> ConnectAsync() => await McpClient.CreateAsync(new StdioClientTransport(new()
    {
        Command = Tool.Command,
        Arguments = ["mcp", "--server", server.Address, "--ttl", "1h"],
        // After which this client sends SIGTERM to what its own end has not ended.
        ShutdownTimeout = TimeSpan.FromMilliseconds(500),
        EnvironmentVariables = new Dictionary<string, string?> { ["LEASES_CONFIG"] = InProcess.NoContexts, ["LEASES_OWNER"] = null },
    }));

    private async Task<string> StateOfAsync(string resource)
    {
        var shown = JsonDocument.Parse((await Tool.RunAsync(server.Address, "get", resource, "--json")).Out);
        return shown.RootElement.GetProperty("state").GetString()!;
    }

    private static string Call(string tool, string arguments) =>
        $$$"""{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"{{{tool}}}","arguments":{{{arguments}}}}}""" + "\n";
}
