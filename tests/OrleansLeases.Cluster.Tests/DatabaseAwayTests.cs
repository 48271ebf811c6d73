using System.Net;
using OrleansLeases.Cluster.Tests.Processes;

namespace OrleansLeases.Cluster.Tests;

/// <summary>A silo whose database is away says so, once in its log and in its readiness while it lasts, and when it is back.</summary>
public sealed class DatabaseAwayTests
{
    [Fact]
    public async Task Silo_WithoutItsDatabase_IsNotReadyAndSaysWhy_UntilItIsBack()
    {
        await using var cluster = await LeaseCluster.StartAsync(silos: 1);
        var silo = cluster.Silos[0];

        await cluster.Postgres.StopAsync("fast");
        await UntilAsync(HttpStatusCode.ServiceUnavailable, "database");
        await cluster.Postgres.StartAgainAsync();
        await UntilAsync(HttpStatusCode.OK, "ready");

        // A silo answers whether it is ready without waiting for its log to be written.
        await Eventually.TrueAsync(() => Count("The database can be used again") > 0, () => silo.Process.Error);
        Assert.Equal(1, Count("The database cannot be used"));
        Assert.Equal(1, Count("The database can be used again"));

        int Count(string text) => silo.Process.Error.Split('\n').Count(line => line.Contains(text, StringComparison.Ordinal));

        async Task UntilAsync(HttpStatusCode status, string word)
        {
            (HttpStatusCode Status, string Body) told = default;
            await Eventually.TrueAsync(
                async () => (told = await silo.ReadyAsync()).Status == status,
                () => $"It said {told}. {silo.Process.Error}");
            Assert.Contains(word, told.Body, StringComparison.Ordinal);
        }
    }
}
