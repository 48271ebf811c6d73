using System.Globalization;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cli.Tests;

/// <summary>
/// Whatever dies or stops, nobody of a command's process group is alive at its deadline. No deadline can be later
/// than the moment of the fault and one time to live, since nothing is renewed after it.
/// </summary>
public sealed class RunSafetyTests : IAsyncLifetime
{
    // A quarter of it is for SIGTERM: long enough for a busy machine to let the command handle that before SIGKILL.
    private const string Ttl = "12s";
    private const long TtlNanoseconds = 12_000_000_000;

    private ServerProcess _server = null!;

    public async Task InitializeAsync() => _server = await ServerProcess.StartAsync("--memory");

    public Task DisposeAsync() => _server.DisposeAsync().AsTask();

    [Fact]
    public async Task Run_WhenTheServerIsKilled_EndsTheGroupBeforeTheDeadline()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);

        Signals.Send(_server.Tool.Id, Signals.Kill);

        await AssertEndedBeforeAsync(Family.Now() + TtlNanoseconds, family, run);
    }

    [Fact]
    public async Task Run_WhenTheServerStops_EndsTheGroupBeforeTheDeadline()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);

        Signals.Send(_server.Tool.Id, Signals.Stop);

        await AssertEndedBeforeAsync(Family.Now() + TtlNanoseconds, family, run);
    }

    [Fact]
    public async Task Run_WhenTheLeaseIsBrokenByForce_EndsTheGroupBeforeTheDeadline()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);

        Assert.Equal(0, (await Tool.RunAsync(_server.Address, "break", "r", "--force", "--reason", "test")).Code);

        await AssertEndedBeforeAsync(Family.Now() + TtlNanoseconds, family, run);
    }

    [Fact]
    public async Task Run_WhenTheLeaseIsBrokenWithNotice_EndsTheGroupBeforeItsEnd()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);

        var ordered = await Tool.RunAsync(_server.Address, "break", "r", "--grace", "9s", "--reason", "test");
        var end = Family.Now() + TtlNanoseconds;

        Assert.Equal(0, ordered.Code);
        await AssertEndedBeforeAsync(end, family, run);
    }

    [Fact]
    public async Task Run_WhenItStops_EndsTheGroupBeforeTheNextHolder()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);

        Signals.Send(run.Id, Signals.Stop);
        var next = await NextHolderAsync();

        await family.IsGoneAsync();
        Assert.True(family.WasToldToEnd);
        Assert.True(family.LastBeat < next, $"The child was alive {(family.LastBeat - next) / 1e6} ms into the next lease.");
        // Nobody continues it but the kernel, once the guard has ended.
        Assert.Equal(4, (await run.ResultAsync()).Code);
    }

    [Fact]
    public async Task Run_WhenItIsKilled_EndsTheGroupBeforeTheNextHolder()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);

        Signals.Send(run.Id, Signals.Kill);
        var next = await NextHolderAsync();

        await family.IsGoneAsync();
        Assert.True(family.WasToldToEnd);
        Assert.True(family.LastBeat < next, $"The child was alive {(family.LastBeat - next) / 1e6} ms into the next lease.");
    }

    [Fact]
    public async Task Run_WhenItsWholeTreeIsKilled_IsTakenOver()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);
        await using var second = Tool.Start(_server.Address, "run", "r", "--ttl", Ttl, "--wait", "10m", "--", "echo", "mine");

        await run.DisposeAsync();

        Assert.Equal(new ToolResult(0, "mine\n", ""), await second.ResultAsync());
        Assert.False(family.IsAlive);
    }

    [Fact]
    public async Task Run_WhenItsGuardIsKilled_EndsTheGroupAndReleases()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);
        Signals.Send(GuardOf(run), Signals.Kill);

        Assert.Equal(1, (await run.ResultAsync()).Code);
        Assert.False(family.IsAlive);
        Assert.Equal(0, (await Tool.RunAsync(_server.Address, "acquire", "r")).Code);
    }

    [Fact]
    public async Task Run_WhenBothItsProcessesAreKilled_EndsTheGroupBeforeTheNextHolder()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);
        var guard = GuardOf(run);

        // The renewer first: a guard that lives would end the group itself.
        Signals.Send(guard, Signals.Stop);
        Signals.Send(run.Id, Signals.Kill);
        Signals.Send(guard, Signals.Kill);
        await family.IsGoneAsync();
        var next = await NextHolderAsync();

        Assert.True(family.LastBeat < next, $"The child was alive {(family.LastBeat - next) / 1e6} ms into the next lease.");
    }

    [Fact]
    public async Task Run_WhenBothItsProcessesAreStopped_EndsTheGroupBeforeTheNextHolder()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);

        Signals.Send(run.Id, Signals.Stop);
        Signals.Send(GuardOf(run), Signals.Stop);
        var next = await NextHolderAsync();

        await family.IsGoneAsync();
        Assert.True(family.LastBeat < next, $"The child was alive {(family.LastBeat - next) / 1e6} ms into the next lease.");
        // Nobody continues it but the kernel, once the guard has ended.
        Assert.Equal(4, (await run.ResultAsync()).Code);
    }

    private static int GuardOf(Tool run) =>
        int.Parse(File.ReadAllText($"/proc/{run.Id}/task/{run.Id}/children").Split(' ')[0], CultureInfo.InvariantCulture);

    private async Task<Tool> StartAsync(Family family)
    {
        var run = Tool.Start(_server.Address, ["run", "r", "--ttl", Ttl, .. family.Command]);
        await family.IsUpAsync(run);
        return run;
    }

    private static async Task AssertEndedBeforeAsync(long deadline, Family family, Tool run)
    {
        var result = await run.ResultAsync();

        Assert.True(result.Code == 4, $"The exit code was {result.Code}: {result.Error}");
        Assert.False(family.IsAlive);
        Assert.True(family.WasToldToEnd);
        Assert.True(family.LastBeat < deadline, $"The child was alive {(family.LastBeat - deadline) / 1e6} ms after the deadline.");
    }

    private async Task<long> NextHolderAsync() =>
        long.Parse(
            (await Tool.RunAsync(_server.Address, "run", "r", "--ttl", Ttl, "--wait", "10m", "--", "date", "+%s%N")).Out,
            CultureInfo.InvariantCulture);
}
