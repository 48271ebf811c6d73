using System.Globalization;
using OrleansLeases.Bench.Hosts;

namespace OrleansLeases.Bench.Scenarios;

// PostgreSQL alone, without grains: what a storage provider that writes many records in one transaction would bring.
internal static class Batching
{
    public static void Run(Bench bench)
    {
        var database = bench.Own(PostgresServer.Start(bench.Loop, bench.Workspace));
        SiloCluster.Migrate(bench.Options.SiloProgram!, database);
        ChildBenchmark.Run(
            bench.Options.GrainsProgram!, bench.Options, bench.Report,
            ["batching", "--postgres", database.ConnectionString, "--database-process", database.ProcessId.ToString(
                CultureInfo.InvariantCulture)],
            bench.Loop.Stop);
    }
}
