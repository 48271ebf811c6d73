using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// Single renewals, one in flight for each client.
internal static class Renewals
{
    private const double Target = 3;
    private const int SharedConnections = 8;
    private const string Scenario = "renewals";

    public static void Run(Bench bench)
    {
        var clients = bench.Options.Clients;
        var server = bench.StartLeases();
        var hot = new LeaseRenewals(server, bench.LeaseClients(server, clients, "hot/", "owner", TimeSpan.FromHours(1)));
        var mixed = new LeaseRenewalsStoringEveryThird(
            server, bench.LeaseClients(server, clients, "mixed/", "owner"), (int)bench.Options.RoundTime.TotalSeconds);
        List<Load> ours = [hot, mixed];
        var peers = new List<Load>();
        if (bench.HasEtcd)
        {
            var etcd = bench.StartEtcd();
            peers.Add(new EtcdKeepAlives(etcd, bench.EtcdClients(etcd, clients)));
            peers.Add(
                new EtcdKeepAlives(etcd, bench.EtcdClients(etcd, clients, SharedConnections), $"etcd, {SharedConnections} connections"));
        }

        if (bench.HasRedis)
        {
            var redis = bench.StartRedis();
            peers.Add(new RedisRenewals(redis, bench.RedisClients(redis, clients, "renew/")));
        }

        var rounds = Rounds.Run(bench.Loop, bench.Options, [.. ours, .. peers]);
        rounds.AddRows(bench.Report, Scenario, "renewals/s");
        foreach (var peer in peers)
        {
            foreach (var own in ours)
                bench.Report.Add(
                    new Verdict(
                        Scenario, $"{own.Row} against {peer.Row}", rounds.Ratio(own, peer), "×", peer.Row == "etcd" ? Target : null));
        }
    }
}
