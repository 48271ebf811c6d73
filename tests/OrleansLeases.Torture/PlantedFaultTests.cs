using OrleansLeases.Torture.Rounds;
using OrleansLeases.Torture.Worlds;
using Xunit.Abstractions;

namespace OrleansLeases.Torture;

/// <summary>What the torture must find where it is.</summary>
public sealed class PlantedFaultTests(ITestOutputHelper output)
{
    // A grant that is acknowledged before it is on disk is in the memory of PostgreSQL's processes only, and dies with them.
    [Fact]
    public async Task Silos_WhoseDatabaseLosesCommits_AreFoundOut()
    {
        var round = await new Round("silos", Seed: 1)
        {
            Length = TimeSpan.FromSeconds(12), Only = "database", Database = ["wal_writer_delay=10s"], PlantAsync = LoseCommitsAsync,
        }.RunAsync();

        output.WriteLine(round.ToString());
        // A lost grant shows as such, or as its token coming a second time, whichever of the two is looked at first.
        Assert.Contains(round.Violations, violation => violation.Kind is Violation.GrantLost or Violation.Token);

        // Behind the back of the silos, which do not start on such a database.
        static async Task LoseCommitsAsync(World world)
        {
            await using var change = world.Database!.CreateCommand("alter system set synchronous_commit = off");
            await change.ExecuteNonQueryAsync();
            await using var load = world.Database.CreateCommand("select pg_reload_conf()");
            await load.ExecuteNonQueryAsync();
        }
    }
}
