using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// What it costs to be looked at: the same calls to a server that exports nothing, and to one that exports metrics and traces by OTLP, of
// which one in a hundred is sampled. Nobody is at the other end, so that the machine has nothing else to do.
internal static class Telemetry
{
    private const double Target = 0.98;

    public static void Run(Bench bench)
    {
        var clients = bench.Options.Clients;
        var off = bench.StartLeases();
        var on = bench.StartLeasesObserved();
        var hour = TimeSpan.FromHours(1);
        Compare(
            bench, "renewals/s",
            new LeaseRenewals(off, bench.LeaseClients(off, clients, "hot/", "owner", hour), "renewals, no telemetry"),
            new LeaseRenewals(on, bench.LeaseClients(on, clients, "hot/", "owner", hour), "renewals, metrics and traces"));
        Compare(
            bench, "cycles/s",
            new LeaseCycles(off, bench.LeaseClients(off, clients, "own/", "owner"), Names.Own(clients), "cycles, no telemetry"),
            new LeaseCycles(on, bench.LeaseClients(on, clients, "own/", "owner"), Names.Own(clients), "cycles, metrics and traces"));
    }

    private static void Compare(Bench bench, string unit, Load off, Load on)
    {
        var rounds = Rounds.Run(bench.Loop, bench.Options, off, on);
        rounds.AddRows(bench.Report, "telemetry", unit);
        bench.Report.Add(new Verdict("telemetry", $"{on.Row} against {off.Row}", rounds.Ratio(on, off), "×", Target));
    }
}
