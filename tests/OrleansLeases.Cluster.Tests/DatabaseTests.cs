using OrleansLeases.Cluster.Tests.Load;
using OrleansLeases.Cluster.Tests.Processes;

namespace OrleansLeases.Cluster.Tests;

/// <summary>PostgreSQL restarted under load: nothing told is lost, and nothing is told that is not stored.</summary>
[Collection(SharedCluster.Name)]
public sealed class DatabaseTests(SharedCluster shared)
{
    [Theory]
    [InlineData("fast")]
    [InlineData("immediate")]
    public async Task Restart_UnderLoad_LosesNothingThatWasTold(string mode)
    {
        var cluster = await shared.WholeAsync();
        await using var run = await LoadRun.StartAsync(cluster, $"database_{mode}");

        await run.ProceedAsync();
        await cluster.Postgres.StopAsync(mode);
        await cluster.Postgres.StartAgainAsync();

        // Down past the deadlines of what was granted; and a silo dies with what it only remembers.
        await run.ProceedAsync();
        await cluster.Postgres.StopAsync(mode);
        await LoadRun.ForAsync(LoadRun.Ttl);
        await cluster.Silos[0].KillAsync();
        await LoadRun.ForAsync(LoadRun.Ttl);
        await cluster.Postgres.StartAgainAsync();
        await cluster.Silos[0].StartAsync();

        await run.AssertSoundAsync();
    }
}
