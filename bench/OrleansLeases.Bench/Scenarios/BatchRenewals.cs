using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// A thousand renewals in one call, against what the peers offer for many renewals.
internal static class BatchRenewals
{
    private const double Target = 50;
    private const double TargetStoringThirds = 15;
    private const int Callers = 4;
    private const string Scenario = "batch";

    public static void Run(Bench bench)
    {
        var server = bench.StartLeases();
        var hot = new LeaseBatches(server, bench.LeaseClients(server, Callers, "hot/", "owner"), "hot/", "owner");
        var mixed = new LeaseBatchesStoringThirds(server, bench.LeaseClients(server, Callers, "mixed/", "owner"), "mixed/", "owner");
        List<Load> ours = [hot, mixed];
        var peers = new List<Load>();
        if (bench.HasEtcd)
        {
            var etcd = bench.StartEtcd();
            peers.Add(new EtcdKeepAlives(etcd, bench.EtcdClients(etcd, bench.Options.Clients)));
        }

        if (bench.HasRedis)
        {
            var redis = bench.StartRedis();
            peers.Add(new RedisBatches(redis, bench.RedisClients(redis, Callers, "renew/")));
        }

        var rounds = Rounds.Run(bench.Loop, bench.Options, [.. ours, .. peers]);
        rounds.AddRows(bench.Report, Scenario, "renewals/s");
        foreach (var peer in peers)
        {
            foreach (var own in ours)
                bench.Report.Add(
                    new Verdict(
                        Scenario, $"{own.Row} against {peer.Row}", rounds.Ratio(own, peer), "×",
                        peer is not EtcdKeepAlives ? null : own == mixed ? TargetStoringThirds : Target));
        }
    }
}
