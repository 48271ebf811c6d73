using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// Durable acquire and release, each client its own name, then names spread over many resources.
internal static class Cycles
{
    private const int Resources = 100_000;
    private const double Target = 5;
    private const int SharedConnections = 8;

    public static void Run(Bench bench)
    {
        var clients = bench.Options.Clients;
        Run(bench, "cycles, own name", "own/", () => Names.Own(clients));
        Run(bench, $"cycles, {Resources:#,0} names", "spread/", () => new Names(clients, Resources));
    }

    private static void Run(Bench bench, string scenario, string prefix, Func<Names> names)
    {
        var clients = bench.Options.Clients;
        var server = bench.StartLeases();
        var leases = new LeaseCycles(server, bench.LeaseClients(server, clients, prefix, "owner"), names());
        var loads = new List<Load> { leases };
        if (bench.HasEtcd)
        {
            var etcd = bench.StartEtcd();
            loads.Add(new EtcdCycles(etcd, bench.EtcdClients(etcd, clients), names(), prefix));
            loads.Add(
                new EtcdCycles(
                    etcd, bench.EtcdClients(etcd, clients, SharedConnections), names(), prefix + "shared/",
                    $"etcd, {SharedConnections} connections"));
            loads.Add(new EtcdSessionCycles(etcd, bench.EtcdClients(etcd, clients), names(), prefix + "session/"));
        }

        if (bench.HasRedis)
        {
            var redis = bench.StartRedis();
            loads.Add(new RedisCycles(redis, bench.RedisClients(redis, clients, prefix), names()));
        }

        var rounds = Rounds.Run(bench.Loop, bench.Options, [.. loads]);
        rounds.AddRows(bench.Report, scenario, "cycles/s");
        foreach (var peer in loads.Skip(1))
            bench.Report.Add(
                new Verdict(scenario, $"leases against {peer.Row}", rounds.Ratio(leases, peer), "×", peer.Row == "etcd" ? Target : null));
        bench.Dispose();
    }
}
