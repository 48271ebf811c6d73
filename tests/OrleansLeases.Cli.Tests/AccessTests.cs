using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>A server that wants credentials, from the first key on: what the commands say, and whom they tell it.</summary>
public sealed class AccessTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;
    private string _root = "";
    private ServerProcess _server = null!;

    private string AccessFile => Path.Combine(_folder, "access.json");

    public async Task InitializeAsync()
    {
        var made = await Tool.RunAsync(null, "token", "create", "first", "--principal", "root", "--for-file");
        var lines = made.Out.Split('\n');
        _root = lines[0];
        await File.WriteAllTextAsync(AccessFile, $$"""
            { "keys": [ {{lines[1]}} ],
              "rules": [
                { "principal": "root", "prefix": "", "verbs": ["admin"] },
                { "principal": "ci", "prefix": "jobs", "verbs": ["read", "hold"] } ] }
            """);
        _server = await ServerProcess.StartAsync("--data", Path.Combine(_folder, "data"), "--access", AccessFile);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Key_ThatWasCreated_DoesWhatItsRulesSay_AndNothingOnceItIsRevoked()
    {
        var token = await CreateAsync();

        Assert.Equal(0, (await RunAsync(token, "acquire", "jobs/1", "--owner", "ci")).Code);
        var forbidden = await RunAsync(token, "acquire", "other", "--owner", "ci");
        Assert.Equal(1, forbidden.Code);
        Assert.Contains("'hold' on 'other'", forbidden.Error, StringComparison.Ordinal);
        Assert.Equal(["ci", "  jobs  read, hold"], (await RunAsync(token, "whoami")).Out.TrimEnd().Split('\n'));
        Assert.Equal(1, (await RunAsync(token, "token", "list")).Code);
        var listed = (await RunAsync(_root, "token", "list")).Out;
        Assert.Contains("build  ci", listed, StringComparison.Ordinal);
        Assert.DoesNotContain(token, listed, StringComparison.Ordinal);

        var id = listed.Split(' ')[0];
        Assert.Equal($"revoked {id}\n", (await RunAsync(_root, "token", "revoke", id)).Out);
        var refused = await RunAsync(token, "get", "jobs/1");
        Assert.Equal((1, ""), (refused.Code, refused.Out));
        Assert.Contains("LEASES_TOKEN_FILE", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeysOfProofs_AreRetired_ByWhoHasTheRight()
    {
        var token = await CreateAsync();
        Assert.Equal(0, (await RunAsync(token, "acquire", "jobs/1", "--owner", "ci", "--proof")).Code);

        Assert.Equal(1, (await RunAsync(token, "proof-keys", "retire")).Code);
        var retired = await RunAsync(_root, "proof-keys", "retire");

        Assert.Equal((0, ""), (retired.Code, retired.Error));
        Assert.Matches("^retired [A-Za-z0-9_-]{43}\nsigning [A-Za-z0-9_-]{43}\n$", retired.Out);
    }

    [Fact]
    public async Task Key_OutlivesTheServer()
    {
        var token = await CreateAsync();
        await _server.DisposeAsync();
        _server = await ServerProcess.StartAsync("--data", Path.Combine(_folder, "data"), "--access", AccessFile);

        Assert.Equal(0, (await RunAsync(token, "get", "jobs/1")).Code);
    }

    [Fact]
    public async Task Credential_IsTakenFromTheCommandLineOrAFile_BesideTheTokenOfALease()
    {
        var token = await CreateAsync();
        var grant = JsonSerializer.Deserialize(
            (await Tool.RunAsync(_server.Address, "acquire", "jobs/1", "--owner", "ci", "--json", "--token", token)).Out,
            LeaseJson.Default.LeaseGrant)!;
        Assert.Equal(0, (await Tool.RunAsync(
            _server.Address, $"--token={token}", "renew", "jobs/1", "--owner", "ci", "--token", $"{grant.Token}")).Code);

        var file = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(file, token + "\n");
        Assert.Equal(0, (await Tool.RunAsync(
            _server.Address, [("LEASES_TOKEN_FILE", file)], "release", "jobs/1", "--owner", "ci", "--token", $"{grant.Token}")).Code);
        var missing = await Tool.RunAsync(_server.Address, [("LEASES_TOKEN_FILE", file + "x")], "get", "jobs/1");
        Assert.Equal(2, missing.Code);
        Assert.Contains(file + "x", missing.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_ThatRunsUnderALease_FindsNoCredentialUnlessAsked()
    {
        var token = await CreateAsync();
        var file = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(file, token);
        (string, string)[] environment = [("LEASES_TOKEN", token), ("LEASES_TOKEN_FILE", file)];

        var kept = await Tool.RunAsync(_server.Address, environment, "run", "jobs/2", "--owner", "ci", "--", "env");
        var passed = await Tool.RunAsync(_server.Address, environment, "run", "jobs/2", "--owner", "ci", "--pass-token", "--", "env");

        Assert.Equal((0, 0), (kept.Code, passed.Code));
        Assert.Contains("LEASE_TOKEN=", kept.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("LEASES_TOKEN", kept.Out, StringComparison.Ordinal);
        Assert.Contains($"LEASES_TOKEN={token}", passed.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_WithCredentialsOnPlainHttpForOthers_SaysThatTheyCanBeRead()
    {
        await using var server = await ServerProcess.StartAsync("--memory", "--urls", "http://0.0.0.0:0", "--access", AccessFile);

        await Eventually.TrueAsync(
            () => server.Tool.Error.Contains("unencrypted", StringComparison.Ordinal), () => $"It said nothing of it: {server.Tool.Error}");
    }

    [Theory]
    [InlineData("{ \"rules\": [\n { \"principal\": \"a\" } ] }", "access.json(2): ")]
    [InlineData(null, "access.json")]
    public async Task Serve_WithAWrongAccessFile_SaysWhere(string? text, string said)
    {
        var file = Path.Combine(_folder, "wrong-access.json");
        if (text is not null) await File.WriteAllTextAsync(file, text);

        var result = await Tool.RunAsync(null, "serve", "--memory", "--urls", "http://127.0.0.1:0", "--access", file);

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
        Assert.EndsWith("(--access)\n", result.Error, StringComparison.Ordinal);
    }

    private async Task<string> CreateAsync()
    {
        var made = await RunAsync(_root, "token", "create", "build", "--principal", "ci", "--expires", "1h");
        Assert.Equal(0, made.Code);
        return made.Out.TrimEnd();
    }

    private Task<ToolResult> RunAsync(string token, params string[] arguments) =>
        Tool.RunAsync(_server.Address, [("LEASES_TOKEN", token)], arguments);
}
