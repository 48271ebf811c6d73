using OrleansLeases.Testing.Processes;
using OrleansLeases.Torture.Load;
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
            Length = TimeSpan.FromSeconds(12), Only = "database", Database = ["bgwriter_lru_maxpages=0"], PlantAsync = LoseCommitsAsync,
        }.RunAsync();

        output.WriteLine(round.ToString());
        Assert.Contains(round.Violations, violation => violation.Kind == Violation.GrantLost);

        // Behind the back of the silos, which do not start on such a database.
        static async Task LoseCommitsAsync(World world)
        {
            // What the load needs is on disk before anything is lost.
            await new FencedTable(world.Database!).CreateAsync();
            await using var change = world.Database!.CreateCommand("alter system set synchronous_commit = off");
            await change.ExecuteNonQueryAsync();
            await using var load = world.Database.CreateCommand("select pg_reload_conf()");
            await load.ExecuteNonQueryAsync();
            // PostgreSQL's WAL writer passes each page of 8 KiB to the kernel, which survives: only the last one would be lost, and
            // perhaps no grant in it. Stopped, it leaves all to the first kill; the background writer, which passes the log on as well,
            // is off by its setting.
            await using var writer = world.Database.CreateCommand("select pid from pg_stat_activity where backend_type = 'walwriter'");
            Signals.Send((int)(await writer.ExecuteScalarAsync())!, Signals.Stop);
        }
    }
}
