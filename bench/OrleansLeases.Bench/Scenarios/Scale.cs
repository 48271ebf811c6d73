using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// What a held lease costs: memory, time to start again, and whether the others make an operation slower.
internal static class Scale
{
    private const double MemoryTargetBytes = 1024;
    private const int EtcdLeases = 100_000;
    private const string Scenario = "scale";

    public static void Run(Bench bench)
    {
        var sizes = new[] { 1000, 100_000, bench.Options.Leases }.Where(size => size <= bench.Options.Leases).Distinct().ToArray();
        var stores = sizes.Select(size => new LeaseStore(bench, size)).ToArray();
        foreach (var store in stores)
        {
            store.Fill();
            var size = $"{store.Size:#,0} held";
            bench.Report.Add(new Row(Scenario, $"leases, {size}, acquired", "leases/s", store.FillRate));
            if (store.Size < LeaseStore.Enough)
                continue;
            bench.Report.Add(new Row(Scenario, $"leases, {size}, memory", "B/lease", store.BytesPerLease));
            bench.Report.Add(new Row(Scenario, $"leases, {size}, peak memory", "B/lease", store.PeakBytesPerLease));
            bench.Report.Add(new Row(Scenario, $"leases, {size}, file", "B/lease", store.FileBytesPerLease));
            bench.Report.Add(new Verdict(Scenario, $"memory at {size}", store.BytesPerLease, "B", LessThan: MemoryTargetBytes));
        }

        var (small, large) = (stores[0], stores[^1]);
        if (stores.Length > 2)
            bench.Report.Add(
                new Verdict(
                    Scenario, $"memory of each lease beyond the first {stores[^2].Size:#,0}", large.BytesPerLeaseBeyond(stores[^2]), "B"));
        bench.Report.Add(
            new Verdict(Scenario, $"rate of acquiring the last tenth of {large.Size:#,0} against the first", large.LastTenthRatio, "×"));
        CompareCosts(bench, "cycles", "cycles/s", small, large, [.. stores.Select(store => store.Cycles())]);
        CompareCosts(bench, "renewals", "renewals/s", small, large, [.. stores.Select(store => store.Renewals())]);
        ColdStart.Run(bench, large);
        if (bench.HasEtcd)
            MeasureEtcd(bench, large);
    }

    private static void CompareCosts(Bench bench, string what, string unit, LeaseStore small, LeaseStore large, Load[] loads)
    {
        var rounds = Rounds.Run(bench.Loop, bench.Options, loads);
        rounds.AddRows(bench.Report, $"{Scenario}, {what}", unit);
        var compared = $"{what} with {large.Size:#,0} leases against {small.Size:#,0}";
        bench.Report.Add(new Verdict(Scenario, compared, rounds.Ratio(loads[^1], loads[0]), "×"));
    }

    private static void MeasureEtcd(Bench bench, LeaseStore large)
    {
        var etcd = new EtcdStore(bench, Math.Min(EtcdLeases, large.Size));
        etcd.Fill();
        bench.Report.Add(new Row(Scenario, $"etcd, {etcd.Size:#,0} held, memory", "B/lease", etcd.BytesPerLease));
        bench.Report.Add(
            new Verdict(
                Scenario, $"etcd's memory for a lease against ours at {large.Size:#,0}", etcd.BytesPerLease / large.BytesPerLease, "×"));
    }
}
