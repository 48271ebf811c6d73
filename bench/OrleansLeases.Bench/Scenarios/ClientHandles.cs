using System.Globalization;
using OrleansLeases.Bench.Hosts;

namespace OrleansLeases.Bench.Scenarios;

// What the client library costs the process that holds leases by it.
internal static class ClientHandles
{
    public static void Run(Bench bench)
    {
        Measure(bench, "handles");
        Measure(bench, "lost");
        Keep(bench);
    }

    public static void Keep(Bench bench, params string[] more)
    {
        var server = bench.StartLeases();
        Measure(bench, ["keep", "--server", $"{server.Port}/{server.ProcessId}", "--leases", Text(bench.Options.Kept), .. more]);
    }

    private static void Measure(Bench bench, params string[] arguments) =>
        ChildBenchmark.Run(bench.Options.ClientProgram, bench.Options, bench.Report, arguments, bench.Loop.Stop);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
