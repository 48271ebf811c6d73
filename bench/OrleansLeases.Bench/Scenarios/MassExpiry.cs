using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// What one server did when many leases ended in the same second.
internal sealed record ExpiryFigures(int Leases)
{
    public Samples Quiet { get; } = new();

    public Samples Storm { get; } = new();

    // From a lease's deadline to the moment somebody else has it, or can have it.
    public Samples Delay { get; } = new();

    public int Refused { get; set; }

    public double UnrelatedRatio => Storm.Percentile(0.99) / Quiet.Percentile(0.99);
}

internal static class MassExpiry
{
    // etcd revokes at most 1,000 leases a second: a hundred thousand would take it a minute and a half.
    private const int MostForEtcd = 10_000;
    private const int MostRounds = 3;
    private const double Target = 5;
    private const string Scenario = "expiry";

    public static void Run(Bench bench)
    {
        var rounds = Math.Min(MostRounds, bench.Options.Rounds);
        var ours = new ExpiryFigures(bench.Options.Expiring);
        var server = bench.StartLeases();
        var leases = new LeaseExpiry(bench, server);
        var etcd = new ExpiryFigures(Math.Min(bench.Options.Expiring, MostForEtcd));
        var peer = bench.HasEtcd ? new EtcdExpiry(bench, bench.StartEtcd()) : null;
        for (var round = 0; round < rounds; round++)
        {
            leases.Run(round, ours);
            peer?.Run(round, etcd);
        }

        AddRows(bench.Report, "leases", ours);
        bench.Report.Add(new Verdict(Scenario, $"{ours.Leases:#,0} leases: refused at the first try after the deadline", ours.Refused, "", LessThan: 1));
        bench.Report.Add(new Verdict(Scenario, "from deadline to granted again, p99", ours.Delay.Percentile(0.99), "ms"));
        bench.Report.Add(new Verdict(Scenario, "unrelated calls' p99, in the storm against quiet", ours.UnrelatedRatio, "×", LessThan: Target));
        if (peer is null)
            return;
        AddRows(bench.Report, "etcd", etcd);
        bench.Report.Note($"etcd's storm is {etcd.Leases:#,0} leases; its delay is from deadline to the deletion of the key.");
        bench.Report.Add(new Verdict(Scenario, $"etcd, {etcd.Leases:#,0} leases: unrelated calls' p99, in the storm against quiet", etcd.UnrelatedRatio, "×"));
        bench.Report.Add(new Verdict(Scenario, "etcd's p99 delay after the deadline against ours", etcd.Delay.Percentile(0.99) / ours.Delay.Percentile(0.99), "×"));
    }

    private static void AddRows(Report report, string server, ExpiryFigures figures)
    {
        report.Add(Row(server + ", unrelated, quiet", "calls", figures.Quiet));
        report.Add(Row(server + ", unrelated, storm", "calls", figures.Storm));
        report.Add(Row(server + ", after deadline", "leases", figures.Delay));
    }

    private static Row Row(string server, string unit, Samples samples) =>
        new(Scenario, server, unit, samples.Count) { MedianMs = samples.Median, P99Ms = samples.Percentile(0.99) };
}
