using System.Globalization;
using OrleansLeases.Bench.Hosts;

namespace OrleansLeases.Bench.Scenarios;

// Leases by grain calls, without HTTP: from within a silo, and from an Orleans client of one.
internal static class GrainCalls
{
    public static void Run(Bench bench)
    {
        Measure(bench, "silo");

        var database = bench.Own(PostgresServer.Start(bench.Loop, bench.Workspace));
        SiloCluster.Migrate(bench.Options.SiloProgram!, database);
        Measure(bench, "silo", "--postgres", database.ConnectionString, "--database-process", Text(database.ProcessId));
        Measure(bench, "storage", "--postgres", database.ConnectionString, "--database-process", Text(database.ProcessId));
        bench.Dispose();

        var memory = bench.StartSiloInMemory();
        Measure(bench, "client", "--gateway", Text(memory.GatewayPort), "--silo-process", Text(memory.Silos[0].ProcessId));
        bench.Dispose();

        var durable = bench.StartSilos(1);
        Measure(bench, "client", "--gateway", Text(durable.GatewayPort), "--silo-process", Text(durable.Silos[0].ProcessId),
            "--database-process", Text(durable.Database!.ProcessId));
    }

    private static void Measure(Bench bench, params string[] arguments) =>
        ChildBenchmark.Run(bench.Options.GrainsProgram!, bench.Options, bench.Report, arguments, bench.Loop.Stop);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
