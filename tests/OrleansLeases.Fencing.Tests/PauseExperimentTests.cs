using System.Diagnostics;
using OrleansLeases.Testing;

namespace OrleansLeases.Fencing.Tests;

/// <summary>The sample, as its reader runs it: real processes, one of them stopped past its lease's deadline.</summary>
public sealed class PauseExperimentTests
{
    [Fact]
    public async Task PausedWorker_LosesOthersUpdatesWithoutAFence_AndNoneWithIt()
    {
        var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "GuardedTable"), [await PostgresServer.SharedAsync()]) { RedirectStandardOutput = true };
        using var sample = Process.Start(start)!;
        var told = await sample.StandardOutput.ReadToEndAsync();
        await sample.WaitForExitAsync();
        Assert.Contains("The balance is 110: the 20 are lost.", told, StringComparison.Ordinal);
        Assert.Contains("of account/1 is stale", told, StringComparison.Ordinal);
        Assert.EndsWith("The balance is 120: nothing is lost.", told.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(0, sample.ExitCode);
    }
}
