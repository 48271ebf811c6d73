using System.Globalization;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// The cost model of docs/sizing.md against a load that it was not made from: what a renewal costs in a full batch, in memory and
// stored, predicts what a server pays for one process that keeps many leases of 30 s alive.
internal static class Sizing
{
    private const string Scenario = "sizing";
    private const int Callers = 4;

    // The client renews between 0.9 and 1 times what renewAfterMs says, a third of the ttl; every fourth renewal passes the horizon.
    private const double RenewedEverySeconds = 9.5;
    private const double Stored = 1.0 / 4;

    public static void Run(Bench bench)
    {
        var server = bench.StartLeases();
        var inMemory = new LeaseBatches(server, bench.LeaseClients(server, Callers, "hot/", "owner"), "hot/", "owner");
        var thirds = new LeaseBatchesStoringThirds(server, bench.LeaseClients(server, Callers, "mixed/", "owner"), "mixed/", "owner");
        var rounds = Rounds.Run(bench.Loop, bench.Options, inMemory, thirds);
        rounds.AddRows(bench.Report, Scenario, "renewals/s");

        var cost = rounds.ServerSeconds(inMemory);
        var storedCost = 3 * rounds.ServerSeconds(thirds) - 2 * cost;
        var cores = bench.Options.Kept / RenewedEverySeconds * ((1 - Stored) * cost + Stored * storedCost);
        ClientHandles.Keep(bench, "--predicted", cores.ToString(CultureInfo.InvariantCulture));
    }
}
