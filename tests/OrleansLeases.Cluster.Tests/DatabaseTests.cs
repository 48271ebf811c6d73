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
        for (var round = 0; round < 2; round++)
        {
            await run.ProceedAsync();
            await cluster.Postgres.StopAsync(mode);
            // Down past the deadlines of what was granted, and for less.
            if (round > 0) await LoadRun.ForAsync(2 * LoadRun.Ttl);
            await cluster.Postgres.StartAgainAsync();
        }

        await run.AssertSoundAsync();
    }
}
