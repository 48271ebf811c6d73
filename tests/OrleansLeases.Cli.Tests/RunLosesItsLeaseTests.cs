using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Cli.Tests;

/// <summary>The server of a command goes away, or its lease.</summary>
public sealed class RunLosesItsLeaseTests : RunSafety
{
    [Fact]
    public async Task Run_WhenTheServerIsKilled_EndsTheGroupBeforeTheDeadline()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);

        Signals.Send(Server.Tool.Id, Signals.Kill);

        await AssertEndedBeforeAsync(Family.Now() + TtlNanoseconds, family, run);
    }

    [Fact]
    public async Task Run_WhenTheServerStops_EndsTheGroupBeforeTheDeadline()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);

        Signals.Send(Server.Tool.Id, Signals.Stop);

        await AssertEndedBeforeAsync(Family.Now() + TtlNanoseconds, family, run);
    }

    [Fact]
    public async Task Run_WhenTheLeaseIsBrokenByForce_EndsTheGroupBeforeTheDeadline()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);

        Assert.Equal(0, (await Tool.RunAsync(Server.Address, "break", "r", "--force", "--reason", "test")).Code);

        await AssertEndedBeforeAsync(Family.Now() + TtlNanoseconds, family, run);
    }

    [Fact]
    public async Task Run_WhenTheLeaseIsBrokenWithNotice_EndsTheGroupBeforeItsEnd()
    {
        using var family = new Family();
        await using var run = await StartAsync(family);

        var ordered = await Tool.RunAsync(Server.Address, "break", "r", "--grace", "9s", "--reason", "test");
        var end = Family.Now() + TtlNanoseconds;

        Assert.Equal(0, ordered.Code);
        await AssertEndedBeforeAsync(end, family, run);
    }

    private static async Task AssertEndedBeforeAsync(long deadline, Family family, Tool run)
    {
        var result = await run.ResultAsync();

        Assert.True(result.Code == 4, $"The exit code was {result.Code}: {result.Error}");
        Assert.False(family.IsAlive);
        Assert.True(family.WasToldToEnd);
        Assert.True(family.LastBeat < deadline, $"The child was alive {(family.LastBeat - deadline) / 1e6} ms after the deadline.");
    }
}
