using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// The cluster over HTTP, one silo and three, beside the embedded engine and etcd.
internal static class OrleansEngine
{
    private const int Resources = 100_000;
    private const int Several = 3;

    // A silo and the database's provider are more code to compile than a server of leases alone.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    public static void Run(Bench bench)
    {
        var embedded = bench.StartLeases();
        (SiloCluster Cluster, string Row)[] clusters =
        [
            (bench.StartSilos(1), "orleans, one silo"),
            (bench.StartSilos(Several), $"orleans, {Several} silos"),
        ];
        var etcd = bench.HasEtcd ? bench.StartEtcd() : null;
        var clients = bench.Options.Clients;
        Cycles("orleans, cycles, own name", "own/", () => Names.Own(clients));
        Cycles($"orleans, cycles, {Resources:#,0} names", "spread/", () => new Names(clients, Resources));
        Renewals();

        void Cycles(string scenario, string prefix, Func<Names> names) => Compare(
            bench, scenario, "cycles/s",
            [.. clusters.Select(
                one => new LeaseCycles(one.Cluster, bench.LeaseClients(one.Cluster.Silos, clients, prefix, "owner"), names(), one.Row))],
            new LeaseCycles(embedded, bench.LeaseClients(embedded, clients, prefix, "owner"), names(), "embedded"),
            etcd is null ? null : new EtcdCycles(etcd, bench.EtcdClients(etcd, clients), names(), prefix));

        void Renewals() => Compare(
            bench, "orleans, renewals below the horizon", "renewals/s",
            [.. clusters.Select(
                one => new LeaseRenewals(
                    one.Cluster, bench.LeaseClients(one.Cluster.Silos, clients, "hot/", "owner", TimeSpan.FromHours(1)), one.Row))],
            new LeaseRenewals(embedded, bench.LeaseClients(embedded, clients, "hot/", "owner", TimeSpan.FromHours(1)), "embedded"),
            etcd is null ? null : new EtcdKeepAlives(etcd, bench.EtcdClients(etcd, clients)));
    }

    private static void Compare(Bench bench, string scenario, string unit, Load[] ours, Load embedded, Load? etcd)
    {
        Load[] peers = etcd is null ? [embedded] : [embedded, etcd];
        var rounds = Rounds.Run(bench.Loop, bench.Options, WarmUp, [.. ours, .. peers]);
        rounds.AddRows(bench.Report, scenario, unit);
        foreach (var load in ours)
        {
            foreach (var peer in peers)
                bench.Report.Add(new Verdict(scenario, $"{load.Row} against {peer.Row}", rounds.Ratio(load, peer), "×"));
        }
    }
}
