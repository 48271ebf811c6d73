using System.Globalization;
using OrleansLeases.Bench.Hosts;

namespace OrleansLeases.Bench.Scenarios;

// What the author of a .NET program gets from the library he picks: ours, and those of the peers on the same machine.
internal static class Users
{
    public static void Run(Bench bench)
    {
        List<string> servers = ["--server", AddressOf(bench.StartLeases())];
        if (bench.HasEtcd)
            servers.AddRange(["--etcd", AddressOf(bench.StartEtcd())]);
        if (bench.HasRedis)
            servers.AddRange(["--redis", AddressOf(bench.StartRedis())]);
        Measure(bench, ["users", .. servers]);
        bench.Dispose();

        if (Silos.Missing(bench.Options) is { } missing)
        {
            bench.Report.Note($"PostgreSQL is left out: {missing}");
            return;
        }

        var silo = bench.StartSilos(1);
        Measure(
            bench, ["users-on-postgres", "--server", AddressOf(silo.Silos[0]), "--postgres", silo.Database!.ConnectionString,
                "--database-process", Text(silo.Database.ProcessId)]);
    }

    private static void Measure(Bench bench, string[] arguments) =>
        ChildBenchmark.Run(
            bench.Options.ClientProgram, bench.Options, bench.Report, [.. arguments, "--workers", Text(bench.Options.Clients)],
            bench.Loop.Stop);

    private static string AddressOf(ServerProcess server) => $"{Text(server.Port)}/{Text(server.ProcessId)}";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
