using System.Text.Json;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cli.Tests;

public sealed class RunTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    private readonly string _resource = $"tests/{Guid.NewGuid():N}";

    [Fact]
    public async Task Run_OfACommand_GivesItTheLeaseAndItsCodeIsTheExitCode()
    {
        var result = await RunAsync("--owner", "ann", "--", "sh", "-c", "echo \"$LEASE_RESOURCE $LEASE_OWNER $LEASE_TOKEN\"; exit 7");

        Assert.Equal(7, result.Code);
        Assert.Matches($"^{_resource} ann [0-9]+\n$", result.Out);
        Assert.Equal("", result.Error);
        Assert.Equal("free", await StateAsync());
    }

    [Fact]
    public async Task Run_WhileItsCommandRuns_HoldsTheLeaseBeyondItsTtl()
    {
        using var family = new Family();
        await using var run = Run(["--ttl", "6s", .. family.Command]);
        await family.IsUpAsync(run);

        var renewed = Family.Now() + 7_000_000_000;
        await Eventually.TrueAsync(() => family.LastBeat > renewed, () => $"The command did not outlive its first ttl: {run.Error}");

        Assert.Equal("held", await StateAsync());
        Assert.Equal(3, (await RunAsync("--", "true")).Code);
    }

    [Fact]
    public async Task Run_WhenTheCommandLeavesAChild_EndsItBeforeTheRelease()
    {
        using var family = new Family();
        await using var run = Run(family.Command);
        await family.IsUpAsync(run);

        family.LetParentEnd();
        var next = await RunAsync("--wait", "1m", "--", "date", "+%s%N");

        Assert.Equal(0, (await run.ResultAsync()).Code);
        Assert.False(family.IsAlive);
        Assert.True(family.LastBeat < long.Parse(next.Out, System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Run_OfACommandKilledBySignal_Is128AndTheSignal() =>
        Assert.Equal(137, (await RunAsync("--", "sh", "-c", "kill -9 $$")).Code);

    [Theory]
    [InlineData(Signals.Terminate)]
    [InlineData(Signals.Interrupt)]
    public async Task Run_WhenSignalled_PassesItOnAndReleasesAfterwards(int signal)
    {
        await using var run = Run("--", "sh", "-c", $"trap 'echo told; exit 9' {signal}; echo up; while :; do sleep 0.02; done");
        await Eventually.TrueAsync(() => run.Out == "up\n", () => $"The command never started: {run.Error}");

        Signals.Send(run.Id, signal);

        // The shell itself may say that its sleep was terminated.
        var result = await run.ResultAsync();
        Assert.Equal((9, "up\ntold\n"), (result.Code, result.Out));
        Assert.Equal("free", await StateAsync());
    }

    [Fact]
    public async Task Run_WhenSignalledInLine_LeavesItWithoutRunning()
    {
        await Tool.RunAsync(server.Address, "acquire", _resource, "--owner", "ann");
        await using var run = Run("--wait", "10m", "--", "echo", "ran");
        await Eventually.TrueAsync(
            () => Tool.RunAsync(server.Address, "get", _resource, "--json").GetAwaiter().GetResult().Out.Contains(
                "\"waiters\":1", StringComparison.Ordinal),
            () => $"It never got in the queue: {run.Error}");

        Signals.Send(run.Id, Signals.Terminate);

        Assert.Equal(new ToolResult(143, "", ""), await run.ResultAsync());
    }

    [Theory]
    [InlineData(127, "no-such-command-anywhere")]
    [InlineData(127, "./no-such-command-here")]
    [InlineData(126, "/etc/passwd")]
    [InlineData(126, "/etc")]
    public async Task Run_OfWhatCannotRun_IsTheShellsCodeAndLeavesNoLease(int code, string command)
    {
        var result = await RunAsync("--", command);

        Assert.Equal((code, ""), (result.Code, result.Out));
        Assert.Contains(command, result.Error, StringComparison.Ordinal);
        Assert.Equal("free", await StateAsync());
    }

    [Fact]
    public async Task Run_OfAFileThatIsNoProgram_Is126AndReleases()
    {
        var folder = Directory.CreateTempSubdirectory("leases-");
        var file = Path.Combine(folder.FullName, "data");
        await File.WriteAllTextAsync(file, "\0\0");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        var result = await RunAsync("--", file);

        Assert.Equal(126, result.Code);
        Assert.Contains(file, result.Error, StringComparison.Ordinal);
        Assert.Equal("free", await StateAsync());
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Run_OfAHeldResource_Is3AndNeverRuns()
    {
        await Tool.RunAsync(server.Address, "acquire", _resource, "--owner", "ann");

        var result = await RunAsync("--", "echo", "ran");
        var waited = await RunAsync("--wait", "200ms", "--json", "--", "echo", "ran");

        Assert.Equal((3, ""), (result.Code, result.Out));
        Assert.Contains("ann", result.Error, StringComparison.Ordinal);
        Assert.Equal(
            (3, "urn:orleans-leases:held"), (waited.Code, JsonDocument.Parse(waited.Out).RootElement.GetProperty("type").GetString()));
    }

    [Fact]
    public async Task Run_WithoutAServer_Is5AndNeverRuns()
    {
        var result = await Tool.RunAsync($"http://127.0.0.1:{ScriptedServer.FreePort()}", "run", _resource, "--", "echo", "ran");
        Assert.Equal((5, ""), (result.Code, result.Out));
    }

    [Fact]
    public async Task Run_ThatSharesASemaphore_RunsAsManyAsItHolds()
    {
        using var family = new Family();
        await using var first = Run(["--shared", "--capacity", "2", .. family.Command]);
        await family.IsUpAsync(first);
        using var other = new Family();
        await using var second = Run(["--shared", "--capacity", "2", .. other.Command]);
        await other.IsUpAsync(second);

        Assert.Equal(3, (await RunAsync("--shared", "--capacity", "2", "--", "true")).Code);
    }

    [Fact]
    public async Task Run_OfWhatIsHeldAtLeast_KeepsOthersOutAfterTheCommand()
    {
        Assert.Equal(0, (await RunAsync("--hold-at-least", "1h", "--", "true")).Code);

        Assert.Equal(3, (await RunAsync("--", "true")).Code);
    }

    [Fact]
    public async Task Run_OfACommand_LeavesItNothingButTheUsualSignalsAndFiles()
    {
        var result = await RunAsync(
            "--", "sh", "-c", "grep SigIgn /proc/self/status; ls /proc/self/fd | wc -l; exec 3</dev/null; ls /proc/self/fd | wc -l");

        var lines = result.Out.Split('\n');
        Assert.Equal("SigIgn:\t0000000000000000", lines[0]);
        Assert.Equal(
            int.Parse(lines[1], System.Globalization.CultureInfo.InvariantCulture) + 1,
            int.Parse(lines[2], System.Globalization.CultureInfo.InvariantCulture));
    }

    private Tool Run(params string[] arguments) => Tool.Start(server.Address, ["run", _resource, .. arguments]);

    private Task<ToolResult> RunAsync(params string[] arguments) => Tool.RunAsync(server.Address, ["run", _resource, .. arguments]);

    private async Task<string?> StateAsync() =>
        JsonDocument.Parse((await Tool.RunAsync(server.Address, "get", _resource, "--json")).Out).RootElement.GetProperty("state")
            .GetString();
}
