using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cli.Tests;

/// <summary><c>leases run</c> as a job: of an interactive shell, at a terminal of its own, or of whoever stops and ends it.</summary>
public sealed class JobTests(ServerProcess server) : IClassFixture<ServerProcess>
{
    // The guard looks at the command every 200 ms, and shows nobody that it has. Where a busy machine kept it from looking by then, the
    // tests try a plainer case than they mean to, and pass.
    private static readonly TimeSpan GuardLooks = TimeSpan.FromMilliseconds(500);

    private readonly string _resource = $"tests/{Guid.NewGuid():N}";

    [Fact]
    public async Task Run_InTheBackgroundThatReadsTheTerminal_StopsAsAJobAndGoesOnInTheForeground()
    {
        await using var shell = Shell();
        await shell.TypeAsync($"{Run("60s")} sh -c 'read -r line; echo \"got $line\"' &\n");
        await UntilToldAsync(shell, "jobs", "Stopped");

        await shell.TypeAsync("fg\nhello\n");

        await UntilAsync(shell, "got hello");
        await Eventually.TrueAsync(() => State() == "free", () => $"The lease was not released: {shell.Out}");
    }

    [Fact]
    public async Task Run_ThatCtrlZSuspends_LosesItsLeaseAndEnds()
    {
        await using var shell = Shell();
        // A machine that pauses for longer than the last part of the ttl has the kernel kill the guard, which then says nothing.
        await shell.TypeAsync($"{Run("12s")} sh -c 'printf \"%s\\n\" com\"\"mand-is-up; sleep 1000'\n");
        await UntilAsync(shell, "command-is-up");

        // Typed any earlier, the next line would be the command's.
        await shell.TypeAsync("\u001a");
        await UntilAsync(shell, "Stopped");
        var next = await Tool.RunAsync(server.Address, "run", _resource, "--wait", "10m", "--", "echo", "mine");

        Assert.Equal((0, "mine\n"), (next.Code, next.Out));
        await UntilToldAsync(shell, "jobs", "Exit 4");
        Assert.Contains("was not renewed while the command was stopped", shell.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ThatCtrlZSuspends_GoesOnInTheForegroundUnderItsLease()
    {
        await using var shell = Shell();
        await shell.TypeAsync($"{Run("60s")} sh -c 'printf \"%s\\n\" com\"\"mand-is-up; read -r line; echo \"got $line\"'\n");
        await UntilAsync(shell, "command-is-up");

        // Typed any earlier, the next line would be the command's.
        await shell.TypeAsync("\u001a");
        await UntilAsync(shell, "Stopped");
        await shell.TypeAsync("fg\nhello\n");

        await UntilAsync(shell, "got hello");
    }

    [Fact]
    public async Task Run_WhoseGuardIsKilledWhileItIsSuspended_EndsAndReleases()
    {
        await using var shell = Shell();
        await shell.TypeAsync($"{Run("60s")} sh -c 'echo \"guard $PPID.\"; sleep 1000'\n");
        var guard = 0;
        await Eventually.TrueAsync(
            () => Regex.Match(shell.Out, @"guard (\d+)\.") is { Success: true } told
                && int.TryParse(told.Groups[1].Value, CultureInfo.InvariantCulture, out guard),
            () => $"The command never started: {shell.Out}");
        await shell.TypeAsync("\u001a");
        await UntilAsync(shell, "Stopped");

        Signals.Send(guard, Signals.Kill);

        await UntilToldAsync(shell, "jobs", "Exit 1");
        Assert.Contains("the guard of the command was killed", shell.Out, StringComparison.Ordinal);
        Assert.Equal("free", State());
    }

    [Fact]
    public async Task Run_WhoseCommandIsStopped_EndsByASignalAllTheSame()
    {
        await using var shell = Shell();
        await shell.TypeAsync($"{Run("1h")} sh -c 'read -r line' &\n");
        await UntilToldAsync(shell, "jobs", "Stopped");

        await shell.TypeAsync("kill %1\n");

        await Eventually.TrueAsync(() => State() == "free", () => $"The lease was not released: {shell.Out}");
    }

    [Fact]
    public async Task Run_ThatIsEndedAsItIsAboutToStop_Ends()
    {
        await using var run = Tool.Start(server.Address, "run", _resource, "--ttl", "1h", "--", "sh", "-c", "echo $$; sleep 1000 & wait");
        var command = await CommandOfAsync(run);
        // The renewer hears that the command has stopped as it goes on, with the signal.
        Signals.Send(run.Id, Signals.Stop);
        Signals.Send(command, Signals.Stop);
        await Task.Delay(GuardLooks, TimeProvider.System);

        // As a shell, `timeout` and systemd end a job.
        Signals.Send(run.Id, Signals.Terminate);
        Signals.Send(run.Id, Signals.Continue);

        Assert.Equal(128 + Signals.Terminate, (await run.ResultAsync()).Code);
        Assert.Equal("free", State());
    }

    [Fact]
    public async Task Run_WhoseCommandGoesOnBeforeTheJobHasStopped_GoesOnAsWell()
    {
        await using var run = Tool.Start(server.Address, "run", _resource, "--ttl", "1h", "--", "sh", "-c", "echo $$; sleep 1000 & wait");
        var command = await CommandOfAsync(run);
        Signals.Send(run.Id, Signals.Stop);

        // Until the guard has seen both, and has had the renewer go on, which hears of the stop only then.
        var looks = 0;
        do
        {
            Assert.True(looks++ < 90, "The renewer stays stopped.");
            Signals.Send(command, Signals.Stop);
            await Task.Delay(GuardLooks, TimeProvider.System);
            Signals.Send(command, Signals.Continue);
            await Task.Delay(GuardLooks, TimeProvider.System);
        }
        while (Signals.IsStopped(run.Id));

        // One that is stopped would not hear it.
        Signals.Send(run.Id, Signals.Terminate);
        Assert.Equal(128 + Signals.Terminate, (await run.ResultAsync()).Code);
    }

    [Theory]
    [InlineData("watch {0}", "state")]
    [InlineData("watch --key {0}", "state")]
    public async Task Verb_WhoseReaderHasGone_Ends(string verb, string first)
    {
        await using var pipe = Tool.StartOther(
            "/bin/bash", server.Address, "-c",
            $"'{Tool.Command}' {string.Format(
                CultureInfo.InvariantCulture, verb, _resource)} | grep -m1 {first}; echo ${{PIPESTATUS[0]}}");

        var result = await pipe.ResultAsync();

        Assert.EndsWith("\n141\n", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acquire_ThatWaitsAndWhoseReaderHasGone_LeavesTheLine()
    {
        await Tool.RunAsync(server.Address, "acquire", _resource, "--owner", "ann", "--ttl", "1h");
        await using var pipe = Tool.StartOther(
            "/bin/bash", server.Address, "-c", $"'{Tool.Command}' acquire '{_resource}' --wait 10m | true; echo ${{PIPESTATUS[0]}}");

        Assert.Equal("141\n", (await pipe.ResultAsync()).Out);
    }

    private Tool Shell() => Tool.StartOther("script", server.Address, "-qec", "bash --norc --noprofile -i", "/dev/null");

    private string Run(string ttl) => $"'{Tool.Command}' run '{_resource}' --ttl {ttl} --";

    private string? State() =>
        JsonDocument.Parse(
            Tool.RunAsync(server.Address, "get", _resource, "--json").GetAwaiter().GetResult().Out).RootElement.GetProperty("state")
                .GetString();

    private static async Task<int> CommandOfAsync(Tool run)
    {
        var command = 0;
        await Eventually.TrueAsync(
            () => int.TryParse(run.Out, CultureInfo.InvariantCulture, out command),
            () => $"The command never started: {run.Out}{run.Error}");
        return command;
    }

    private static Task UntilAsync(Tool shell, string text) =>
        Eventually.TrueAsync(() => shell.Out.Contains(text, StringComparison.Ordinal), () => $"'{text}' never came: {shell.Out}");

    /// <summary>Asks again once the shell has answered, until it says so.</summary>
    private static async Task UntilToldAsync(Tool shell, string ask, string text)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!shell.Out.Contains(text, StringComparison.Ordinal))
        {
            if (TimeProvider.System.GetElapsedTime(started) > Eventually.Limit) Assert.Fail($"'{text}' never came: {shell.Out}");

            // Put together by the shell, so that its echo is not taken for the answer.
            var mark = Guid.NewGuid().ToString("N");
            await shell.TypeAsync($"{ask}; echo {mark[..16]}''{mark[16..]}\n");
            await UntilAsync(shell, mark);
        }
    }
}
