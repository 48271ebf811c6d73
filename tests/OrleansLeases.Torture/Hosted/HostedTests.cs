using Xunit.Abstractions;

namespace OrleansLeases.Torture.Hosted;

/// <summary>
/// Services that lead and jobs on a schedule in real processes, for a few ticks; <c>./torture.sh --ticks 1000</c> is the long run.
/// </summary>
public sealed class HostedTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Instances_KilledAndFrozen_StartEachTickOnce()
    {
        await using var run = new HostedRun(ticks: 24, jobs: 8, period: 4, seed: 1);

        await run.RunAsync();

        output.WriteLine(run.ToString());
        Assert.Empty(run.Violations);
        Assert.InRange(run.Started, 1, 24);
        Assert.InRange(run.Kills + run.Freezes + run.Stops, 1, int.MaxValue);
    }
}
