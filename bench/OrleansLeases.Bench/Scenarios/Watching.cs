using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// What is watched, by how many, and how often it changes. With several names they are watched by their prefix.
internal sealed record WatchPart(string Scenario, string Prefix, int Watchers, int Names, TimeSpan Interval)
{
    public bool IsPrefix => Names > 1;
}

// How long an event takes to those who watch.
internal static class Watching
{
    private const int Many = 1000;
    private const int ChangesPerSecond = 2000;
    private const double TargetMs = 5;

    public static void Run(Bench bench)
    {
        var leases = bench.StartLeases();
        var etcd = bench.HasEtcd ? bench.StartEtcd() : null;
        WatchPart[] parts =
        [
            new("watch, one watcher", "watch-one/", 1, 1, TimeSpan.FromMilliseconds(10)),
            new($"watch, {Many:#,0} watchers", "watch-many/", Many, 1, TimeSpan.FromMilliseconds(200)),
            new(
                $"watch, prefix, {ChangesPerSecond:#,0} changes/s", "watch-all/", 1, bench.Options.Clients,
                TimeSpan.FromSeconds(1) / ChangesPerSecond),
        ];
        foreach (var part in parts)
        {
            var ours = new LeaseWatching(bench, leases, part);
            var peer = etcd is null ? null : new EtcdWatching(bench, etcd, part);
            Measure(bench, part, ours, peer);
        }

        if (bench.HasRedis)
            bench.Report.Note("redis is left out: whoever is not connected when it tells of a change never hears of it.");
    }

    private static void Measure(Bench bench, WatchPart part, LeaseWatching ours, EtcdWatching? peer)
    {
        var (own, other) = (new WatchFigures(), new WatchFigures());
        RunRound(bench, ours.RunAsync, TimeSpan.FromSeconds(1), new WatchFigures());
        if (peer is not null)
            RunRound(bench, peer.RunAsync, TimeSpan.FromSeconds(1), new WatchFigures());
        for (var round = 0; round < bench.Options.Rounds; round++)
        {
            RunRound(bench, ours.RunAsync, bench.Options.RoundTime, own);
            if (peer is not null)
                RunRound(bench, peer.RunAsync, bench.Options.RoundTime, other);
        }

        AddRows(bench.Report, part, "leases", own);
        // A thousand sockets to write and to read are no matter of one event's way.
        bench.Report.Add(
            new Verdict(
                part.Scenario, "from sending a change to its event, median", own.FromSending.Median, "ms",
                LessThan: part.Watchers == 1 ? TargetMs : null));
        if (part.Watchers > 1)
            bench.Report.Add(new Verdict(part.Scenario, "until the last has it, median", own.ToTheLast.Median, "ms"));
        if (peer is null)
            return;
        AddRows(bench.Report, part, "etcd", other);
        bench.Report.Add(new Verdict(part.Scenario, "etcd's median against ours", other.FromSending.Median / own.FromSending.Median, "×"));
        if (part.Watchers > 1)
            bench.Report.Add(
                new Verdict(
                    part.Scenario, "until the last has it, etcd's median against ours", other.ToTheLast.Median / own.ToTheLast.Median,
                    "×"));
    }

    private static void AddRows(Report report, WatchPart part, string server, WatchFigures figures)
    {
        report.Add(Row(part, server + ", from sending", "events", figures.FromSending));
        report.Add(Row(part, server + ", from the reply", "events", figures.FromReply));
        if (part.Watchers > 1)
            report.Add(Row(part, server + ", to the last", "changes", figures.ToTheLast));
    }

    private static Row Row(WatchPart part, string server, string unit, Samples samples) =>
        new(part.Scenario, server, unit, samples.Count) { MedianMs = samples.Median, P99Ms = samples.Percentile(0.99) };

    private static void RunRound(Bench bench, Func<TimeSpan, WatchFigures, Task> work, TimeSpan time, WatchFigures figures) =>
        bench.Loop.Run(() => work(time, figures), time + TimeSpan.FromSeconds(60));
}
