using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

public sealed class ContextTests(ServerProcess server) : IClassFixture<ServerProcess>, IDisposable
{
    private const UnixFileMode Mine = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _folder = Directory.CreateTempSubdirectory("leases-contexts-").FullName;

    private string Config => Path.Combine(_folder, "leases", "config.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Context_NamesAServer_ByItsOptionAndOnceItIsInUse()
    {
        var set = await RunAsync("context", "set", "prod", "--server", server.Address);
        Assert.Equal(new ToolResult(0, $"set prod in {Config}\n", ""), set);
        await RunAsync("context", "set", "dead", "--server", "http://127.0.0.1:1");

        Assert.Equal(0, (await RunAsync("info", "--context", "prod")).Code);
        Assert.Equal(5, (await RunAsync("info", "--context", "dead")).Code);
        Assert.Equal(0, (await RunAsync("context", "use", "prod")).Code);
        Assert.Equal(0, (await RunAsync("info")).Code);
        Assert.Equal(
            $"   dead  http://127.0.0.1:1      no credential\n*  prod  {server.Address}  no credential\n",
            (await RunAsync("context", "list")).Out);
        Assert.Contains(
            " --token 1 --context prod\n",
            Tokenless((await RunAsync("acquire", $"contexts/{Guid.NewGuid():N}", "--owner", "ann", "--context", "prod")).Out),
            StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("context", "remove", "prod")).Code);
        Assert.Equal("dead\n", (await RunAsync("context", "list", "-q")).Out);
        Assert.Equal(Mine, File.GetUnixFileMode(Config));
    }

    [Fact]
    public async Task Context_OfWhichTheCredentialIsOpenToOthers_IsRefused()
    {
        var token = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(token, "secret");
        await RunAsync("context", "set", "prod", "--server", server.Address, "--token-file", token);

        File.SetUnixFileMode(token, Mine | UnixFileMode.GroupRead);
        var open = await RunAsync("info", "--context", "prod");
        File.SetUnixFileMode(token, Mine);

        Assert.Equal((2, ""), (open.Code, open.Out));
        Assert.StartsWith($"leases: '{token}' is open to others on this machine", open.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("info", "--context", "prod")).Code);
        Assert.DoesNotContain("secret", await File.ReadAllTextAsync(Config), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Contexts_ThatOthersMayWrite_AreRefused()
    {
        await RunAsync("context", "set", "prod", "--server", server.Address);
        File.SetUnixFileMode(Config, Mine | UnixFileMode.OtherWrite);

        var result = await RunAsync("info", "--context", "prod");

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.Contains($"chmod 600 '{Config}'", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no context 'prdo': ", "info", "--context", "prdo")]
    [InlineData("There is no context 'prdo': ", "context", "use", "prdo")]
    [InlineData("--context names a server already; leave out it or --server.", "info", "--context", "a", "--server", "http://a:1")]
    [InlineData("Say which server it is with --server URL.", "context", "set", "prod")]
    [InlineData("--server is 'nonsense'", "context", "set", "prod", "--server", "nonsense")]
    public async Task Context_ThatSaysNothing_IsWrongUsage(string message, params string[] arguments)
    {
        var result = await RunAsync(arguments);
        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.StartsWith($"leases: {message}", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Contexts_ThatCannotBeRead_AreNamed()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Config)!);
        await File.WriteAllTextAsync(Config, """{"contexts":{},"token":"x"}""");
        var result = await RunAsync("info");
        Assert.Equal(2, result.Code);
        Assert.StartsWith($"leases: '{Config}' is no file of contexts: ", result.Error, StringComparison.Ordinal);
    }

    private static string Tokenless(string text) =>
        System.Text.RegularExpressions.Regex.Replace(text, "--token [0-9]+", "--token 1");

    private Task<ToolResult> RunAsync(params string[] arguments) =>
        Tool.RunAsync(null, [("XDG_CONFIG_HOME", _folder), ("LEASES_CONFIG", "")], arguments);
}
