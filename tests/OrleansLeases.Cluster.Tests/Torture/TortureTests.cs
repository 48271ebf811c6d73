using System.Globalization;
using OrleansLeases.Cluster.Tests.Processes;
using Xunit.Abstractions;

namespace OrleansLeases.Cluster.Tests.Torture;

/// <summary>
/// <c>kill -9</c> of a silo or of PostgreSQL, as it is installed, again and again under load: what clients were told stays true.
/// </summary>
public sealed class TortureTests(ITestOutputHelper output)
{
    // LEASES_TORTURE_ROUNDS makes it a long run, and LEASES_TORTURE_SEED another one.
    private static readonly int Rounds = NumberOf("LEASES_TORTURE_ROUNDS") ?? 10;
    private static readonly int Seed = NumberOf("LEASES_TORTURE_SEED") ?? 1;

    [Fact]
    public async Task Kill_OfSiloOrDatabase_LosesNothingThatWasTold()
    {
        await using var cluster = await LeaseCluster.StartAsync(silos: 1, database: []);
        await using var run = new TortureRun(cluster, Seed);
        var random = new Random(Seed);
        for (var round = 0; round < Rounds && run.Faults.Count == 0; round++)
        {
            if (round % 2 == 0) await run.KillSiloAsync();
            else await run.KillDatabaseAsync(withSilo: random.Next(4) == 0);
        }

        await run.EndAsync();

        output.WriteLine($"Seed {Seed}: {run}");
        Assert.True(run.Faults.Count == 0, $"Seed {Seed}: {run}");
    }

    // A grant that is acknowledged before it is on disk is in the memory of PostgreSQL's processes only, and dies with them.
    [Fact]
    public async Task Kill_OfADatabaseThatDoesNotWaitForItsDisk_IsFoundToLoseGrants()
    {
        await using var cluster = await LeaseCluster.StartAsync(silos: 1, database: ["wal_writer_delay=10s"]);
        // Behind the back of the silo, which does not start on such a database.
        await using (var command = cluster.Database.CreateCommand("alter system set synchronous_commit = off"))
            await command.ExecuteNonQueryAsync();
        await cluster.Postgres.StopAsync();
        await cluster.Postgres.StartAgainAsync();
        await using var run = new TortureRun(cluster, Seed);

        for (var round = 0; round < 20 && run.Faults.Count == 0; round++) await run.KillDatabaseAsync(withSilo: false);

        output.WriteLine($"Seed {Seed}: {run}");
        Assert.NotEmpty(run.Faults);
    }

    private static int? NumberOf(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
