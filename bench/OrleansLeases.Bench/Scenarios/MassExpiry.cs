using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// What one server did when many leases ended in the same second.
internal sealed record ExpiryFigures(int Leases)
{
    public Samples Quiet { get; } = new();

    public Samples Storm { get; } = new();

    // From a lease's deadline to the moment somebody else has it, or can have it.
    public Samples Delay { get; } = new();

    // From the last deadline to the moment no key of any of the leases is left in the store.
    public Samples CleanAfter { get; } = new();

    public int Refused { get; set; }

    // Keys that were seen after the deadline of their lease.
    public int Visible { get; set; }

    public double UnrelatedRatio => Storm.Percentile(0.99) / Quiet.Percentile(0.99);
}

internal static class MassExpiry
{
    // etcd revokes at most 1,000 leases a second: a hundred thousand would take it a minute and a half.
    private const int MostForEtcd = 10_000;
    private const int MostRounds = 3;
    private const int WithKeys = 20_000;
    private const int KeysOfEach = 10;
    private const double Target = 5;

    public static void Run(Bench bench) =>
        Run(bench, "expiry", MostRounds, bench.Options.Expiring, Math.Min(bench.Options.Expiring, MostForEtcd), 0);

    // As many leases on etcd: what is compared here is when all the keys are gone.
    public static void RunWithKeys(Bench bench)
    {
        var leases = Math.Min(bench.Options.Expiring, WithKeys);
        Run(bench, "keys", 1, leases, leases, KeysOfEach);
    }

    private static void Run(Bench bench, string scenario, int mostRounds, int count, int countOfEtcd, int keys)
    {
        var rounds = Math.Min(mostRounds, bench.Options.Rounds);
        var ours = new ExpiryFigures(count);
        var data = bench.Workspace.NewFolder("expiry");
        var leases = new LeaseExpiry(bench, bench.StartLeases(data), data, count, keys);
        var etcd = new ExpiryFigures(countOfEtcd);
        var peer = bench.HasEtcd ? new EtcdExpiry(bench, bench.StartEtcd(), Math.Max(1, keys)) : null;
        for (var round = 0; round < rounds; round++)
        {
            leases.Run(round, ours);
            peer?.Run(round, etcd);
        }

        void Tell(string what, double value, string unit, double? lessThan = null) =>
            bench.Report.Add(new Verdict(scenario, what, value, unit, LessThan: lessThan));
        AddRows(bench.Report, scenario, "leases", ours);
        Tell($"{ours.Leases:#,0} leases: refused at the first try after the deadline", ours.Refused, "", 1);
        if (keys > 0)
        {
            Tell($"{keys} keys each: seen after the deadline", ours.Visible, "", 1);
            Tell("from the last deadline to a clean store", ours.CleanAfter.Percentile(1) / 1000, "s", 10);
        }

        Tell("from deadline to granted again, p99", ours.Delay.Percentile(0.99), "ms");
        Tell("unrelated calls' p99, in the storm against quiet", ours.UnrelatedRatio, "×", Target);
        if (peer is null)
            return;
        AddRows(bench.Report, scenario, "etcd", etcd);
        bench.Report.Note($"etcd's storm is {etcd.Leases:#,0} leases; its delay is from deadline to the deletion of the key.");
        Tell($"etcd, {etcd.Leases:#,0} leases: unrelated calls' p99, in the storm against quiet", etcd.UnrelatedRatio, "×");
        if (keys > 0)
            Tell("etcd: from a deadline to the deletion of its last key, at most", etcd.Delay.Percentile(1) / 1000, "s");
        Tell("etcd's p99 delay after the deadline against ours", etcd.Delay.Percentile(0.99) / ours.Delay.Percentile(0.99), "×");
    }

    private static void AddRows(Report report, string scenario, string server, ExpiryFigures figures)
    {
        report.Add(Row(scenario, server + ", unrelated, quiet", "calls", figures.Quiet));
        report.Add(Row(scenario, server + ", unrelated, storm", "calls", figures.Storm));
        report.Add(Row(scenario, server + ", after deadline", "leases", figures.Delay));
    }

    private static Row Row(string scenario, string server, string unit, Samples samples) =>
        new(scenario, server, unit, samples.Count) { MedianMs = samples.Median, P99Ms = samples.Percentile(0.99) };
}
