using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cli.Tests;

public sealed class ServeTests : IDisposable
{
    private static readonly TimeSpan DockerStopTimeout = TimeSpan.FromSeconds(10);

    private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Serve_OnAFolder_KeepsLeasesAcrossARestart()
    {
        await using var first = await ServerProcess.StartAsync("--data", _folder);
        Assert.Equal(0, (await Tool.RunAsync(first.Address, "acquire", "r", "--owner", "ann", "--ttl", "1h")).Code);
        Assert.Contains($"Leases are kept in {_folder}", first.Tool.Out, StringComparison.Ordinal);
        await first.DisposeAsync();

        await using var second = await ServerProcess.StartAsync("--data", _folder);
        Assert.Equal(3, (await Tool.RunAsync(second.Address, "acquire", "r", "--owner", "bob")).Code);
    }

    [Theory]
    [InlineData(Signals.Terminate)]
    [InlineData(Signals.Interrupt)]
    public async Task Serve_WhenToldToEnd_TellsItsWaitersAndExitsWith0(int signal)
    {
        await using var server = await ServerProcess.StartAsync("--memory");
        await Tool.RunAsync(server.Address, "acquire", "r", "--owner", "ann");
        using var http = new HttpClient { BaseAddress = new(server.Address) };
        var waiting = http.PostAsync(new Uri("v1/leases/acquire", UriKind.Relative), new StringContent(
            """{"resource":"r","owner":"bob","ttlMs":30000,"waitMs":25000,"requestId":"b"}""",
            new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")));
        await Eventually.TrueAsync(
            () => http.GetStringAsync(new Uri("v1/leases/r", UriKind.Relative)).GetAwaiter().GetResult().Contains(
                "\"waiters\":1", StringComparison.Ordinal),
            () => "bob never got in the queue");

        Signals.Send(server.Tool.Id, signal);

        var problem = JsonDocument.Parse(await (await waiting).Content.ReadAsStringAsync()).RootElement;
        Assert.Equal("urn:orleans-leases:unavailable", problem.GetProperty("type").GetString());
        AssertEndedWell(await server.Tool.ResultAsync());
    }

    [Theory]
    [InlineData("POST /v1/leases/acquire HTTP/1.1\r\nHost: localhost\r\nContent-Ty")]
    [InlineData(
        "POST /v1/leases/acquire HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
            + "100\r\n\r\n{\"resource\"")]
    public async Task Serve_WhenToldToEndWithARequestHalfSent_EndsBeforeDockerKillsIt(string half)
    {
        await using var server = await ServerProcess.StartAsync("--memory");
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(server.Address).Port);
        await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(half));
        await Tool.RunAsync(server.Address, "get", "r");

        Signals.Send(server.Tool.Id, Signals.Terminate);

        AssertEndedWell(await server.Tool.ResultAsync().WaitAsync(DockerStopTimeout));
    }

    [Fact]
    public async Task Serve_OnATakenPort_NamesUrlsAndIs1()
    {
        await using var server = await ServerProcess.StartAsync("--memory");

        var result = await Tool.RunAsync(null, "serve", "--memory", "--urls", server.Address);

        Assert.Equal((1, ""), (result.Code, result.Out));
        Assert.Contains(server.Address, result.Error, StringComparison.Ordinal);
        Assert.Contains("--urls", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task Serve_OnATakenFolder_NamesItAndIs1()
    {
        await using var server = await ServerProcess.StartAsync("--data", _folder);

        var result = await Tool.RunAsync(null, "serve", "--data", _folder, "--urls", "http://127.0.0.1:0");

        Assert.Equal((1, ""), (result.Code, result.Out));
        Assert.Contains(_folder, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_OpenToOthers_SaysThatAnybodyMayCall()
    {
        await using var server = await ServerProcess.StartAsync("--memory", "--urls", "http://0.0.0.0:0", "--insecure");
        await Eventually.TrueAsync(
            () => server.Tool.Error.Contains("does not ask who is calling", StringComparison.Ordinal),
            () => $"It said nothing of it: {server.Tool.Error}");
    }

    [Theory]
    [InlineData("http://0.0.0.0:0")]
    [InlineData("http://127.0.0.1:0;http://[::]:0")]
    [InlineData("http://*:0")]
    public async Task Serve_OpenToOthersWithoutCredentials_IsRefusedWithTheRemedy(string urls)
    {
        var result = await Tool.RunAsync(null, "serve", "--memory", "--urls", urls);

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.Contains("--access", result.Error, StringComparison.Ordinal);
        Assert.Contains("--insecure", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.Trim().Split('\n'));
    }

    [Fact]
    public async Task Epoch_WhileAServerRuns_IsShownButNotBumped()
    {
        await using var server = await ServerProcess.StartAsync("--data", _folder);

        Assert.Equal(new ToolResult(0, "{\"epoch\":0}\n", ""), await Tool.RunAsync(null, "epoch", "show", "--data", _folder, "--json"));
        Assert.Equal(1, (await Tool.RunAsync(null, "epoch", "bump", "--data", _folder)).Code);
    }

    [Fact]
    public async Task Epoch_WhenBumped_MakesLaterTokensLarger()
    {
        await (await ServerProcess.StartAsync("--data", _folder)).DisposeAsync();

        Assert.Equal(new ToolResult(0, "epoch 0\n", ""), await Tool.RunAsync(null, "epoch", "show", "--data", _folder));
        Assert.StartsWith("epoch 1:", (await Tool.RunAsync(null, "epoch", "bump", "--data", _folder)).Out, StringComparison.Ordinal);
        Assert.Equal(new ToolResult(0, "epoch 1\n", ""), await Tool.RunAsync(null, "epoch", "show", "--data", _folder));

        await using var server = await ServerProcess.StartAsync("--data", _folder);
        var grant =
            JsonSerializer.Deserialize((await Tool.RunAsync(server.Address, "acquire", "r", "--json")).Out, LeaseJson.Default.LeaseGrant)!;
        Assert.True(grant.Token > 1L << 40);
    }

    [Fact]
    public async Task Epoch_OfAFolderWithoutLeases_Is1() =>
        Assert.Equal(1, (await Tool.RunAsync(null, "epoch", "show", "--data", Path.Combine(_folder, "none"))).Code);

    // Its log has its start, and no trouble.
    private static void AssertEndedWell(ToolResult result)
    {
        Assert.Equal(0, result.Code);
        Assert.Contains("[7001]", Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }
}
