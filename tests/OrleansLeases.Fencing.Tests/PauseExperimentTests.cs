using OrleansLeases.Testing;
using OrleansLeases.Testing.Processes;

namespace OrleansLeases.Fencing.Tests;

/// <summary>The sample, as its reader runs it: real processes, one of them stopped past its lease's deadline.</summary>
public sealed class PauseExperimentTests
{
    [Fact]
    public async Task PausedWorker_LosesOthersUpdatesWithoutAFence_AndNoneWithIt()
    {
        var run = await SampleRun.OfAsync("GuardedTable", await PostgresServer.SharedAsync());
        Assert.Contains("  The balance is 110: the 20 are lost.", run.Told);
        Assert.Single(run.Told, line => line.Contains("of account/1 is stale", StringComparison.Ordinal));
        Assert.Contains("  The balance is 120: nothing is lost.", run.Told);
        Assert.Contains("is of the restore epoch 8191", run.Told[^1], StringComparison.Ordinal);
        Assert.Equal(0, run.ExitCode);
    }
}
