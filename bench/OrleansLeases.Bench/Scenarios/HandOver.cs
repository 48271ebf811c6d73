using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// How long a resource stands idle between two holders when the second is already waiting for it.
internal static class HandOver
{
    private const double ReleaseTargetMs = 5;
    private const double ExpiryTargetMs = 20;
    private const string Unit = "hand-overs";

    public static void Run(Bench bench)
    {
        var ours = new LeaseHandOver(bench, bench.StartLeases());
        var etcd = bench.HasEtcd ? new EtcdHandOver(bench, bench.StartEtcd()) : null;
        Measure(
            bench, "after release", ReleaseTargetMs, bench.Options.RoundTime, ours.AfterReleaseAsync,
            etcd is null ? null : etcd.AfterReleaseAsync);

        // An expiry takes etcd two seconds and more to come about.
        var expiryTime = bench.Options.RoundTime + TimeSpan.FromSeconds(3);
        Measure(bench, "after deadline", ExpiryTargetMs, expiryTime, ours.AfterExpiryAsync, etcd is null ? null : etcd.AfterExpiryAsync);
        if (bench.HasRedis)
            bench.Report.Note("redis has nobody to wait for: its clients poll.");
    }

    private static void Measure(
        Bench bench, string what, double target, TimeSpan time,
        Func<TimeSpan, Samples, Task> ours, Func<TimeSpan, Samples, Task>? peer)
    {
        var (own, other) = (new Samples(), new Samples());
        RunRound(bench, ours, TimeSpan.FromSeconds(1), new Samples());
        for (var round = 0; round < bench.Options.Rounds; round++)
        {
            RunRound(bench, ours, time, own);
            if (peer is not null)
                RunRound(bench, peer, time, other);
        }

        var scenario = $"hand-over {what}";
        bench.Report.Add(new Row(scenario, "leases", Unit, own.Count) { MedianMs = own.Median, P99Ms = own.Percentile(0.99) });
        bench.Report.Add(new Verdict(scenario, "median", own.Median, "ms", LessThan: target));
        bench.Report.Add(new Verdict(scenario, "p99", own.Percentile(0.99), "ms"));
        if (peer is null)
            return;
        bench.Report.Add(new Row(scenario, "etcd", Unit, other.Count) { MedianMs = other.Median, P99Ms = other.Percentile(0.99) });
        bench.Report.Add(new Verdict(scenario, "etcd's median against ours", other.Median / own.Median, "×"));
        bench.Report.Add(new Verdict(scenario, "etcd's p99 against ours", other.Percentile(0.99) / own.Percentile(0.99), "×"));
    }

    private static void RunRound(Bench bench, Func<TimeSpan, Samples, Task> work, TimeSpan time, Samples samples) =>
        bench.Loop.Run(() => work(Clock.Now + time, samples), time + TimeSpan.FromSeconds(60));
}
