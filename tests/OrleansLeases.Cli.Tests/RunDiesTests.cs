using System.Globalization;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cli.Tests;

/// <summary>The processes that hold a command's lease die, or stop.</summary>
public sealed class RunDiesTests : RunSafety
{
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
        await using var second = Tool.Start(Server.Address, "run", "r", "--ttl", Ttl, "--wait", "10m", "--", "echo", "mine");

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
        Assert.Equal(0, (await Tool.RunAsync(Server.Address, "acquire", "r")).Code);
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
}
