using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Etcd;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Http;
using OrleansLeases.Bench.Http2;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;
using OrleansLeases.Bench.Redis;

namespace OrleansLeases.Bench.Scenarios;

// What a scenario works with: the loop, the options, fresh servers, connected clients and the report.
internal sealed class Bench(EventLoop loop, Options options, Workspace workspace, Report report) : IDisposable
{
    public static readonly TimeSpan Ttl = TimeSpan.FromSeconds(60);

    private readonly List<IDisposable> _owned = [];

    public EventLoop Loop => loop;

    public Options Options => options;

    public Report Report => report;

    public Workspace Workspace => workspace;

    public bool HasEtcd { get; } = options.Peers && IsInstalled("etcd");

    public bool HasRedis { get; } = options.Peers && IsInstalled("redis-server");

    public ServerProcess StartLeases() => StartLeases(workspace.NewFolder("leases"));

    public ServerProcess StartLeases(string data) => Own(LeaseServer.Start(loop, options.ServerProgram, data));

    public ServerProcess StartLeasesWithAccess(string accessFile) =>
        Own(LeaseServer.Start(loop, options.ServerProgram, workspace.NewFolder("leases"), "--access", accessFile));

    public ServerProcess StartLeasesObserved() =>
        Own(LeaseServer.StartObserved(loop, options.ServerProgram, workspace.NewFolder("leases")));

    public ServerProcess StartLeasesInContainer(long bytes) =>
        Own(LeaseServer.StartInContainer(loop, options.ServerProgram, workspace.NewFolder("leases"), bytes));

    public SiloCluster StartSilos(int count) => Own(SiloCluster.StartOnPostgres(loop, options.SiloProgram!, workspace, count));

    public SiloCluster StartSiloInMemory() => Own(SiloCluster.StartInMemory(loop, options.SiloProgram!));

    public ServerProcess StartEtcd() => Own(EtcdServer.Start(loop, workspace));

    public ServerProcess StartRedis() => Own(RedisServer.Start(loop, workspace));

    // One connection and one owner for each client.
    public LeaseClient[] LeaseClients(
        ServerProcess server, int count, string prefix, string owner, TimeSpan? ttl = null, string? apiKey = null) =>
        LeaseClients([server], count, prefix, owner, ttl, apiKey);

    // The clients are spread evenly over the servers.
    public LeaseClient[] LeaseClients(
        IReadOnlyList<ServerProcess> servers, int count, string prefix, string owner, TimeSpan? ttl = null, string? apiKey = null) =>
        [.. Enumerable.Range(0, count).Select(i => new LeaseClient(
            Own(new HttpConnection(loop, servers[i % servers.Count].Port)), prefix, OwnerOf(owner, i), ttl ?? Ttl, apiKey))];

    public static string OwnerOf(string owner, int client) => $"{owner}-{client:D4}";

    // A connection each, as separate processes have, unless they are to share.
    public EtcdClient[] EtcdClients(ServerProcess server, int count, int? connections = null)
    {
        var shared =
            Enumerable.Range(0, Math.Min(count, connections ?? count)).Select(_ => Own(new Http2Connection(loop, server.Port))).ToArray();
        return [.. Enumerable.Range(0, count).Select(i => new EtcdClient(shared[i % shared.Length]))];
    }

    public RedisClient[] RedisClients(ServerProcess server, int count, string prefix) =>
        [.. Enumerable.Range(0, count).Select(
            i => new RedisClient(Own(new RedisConnection(loop, server.Port)), prefix, $"owner-{i:D4}", 3_600_000))];

    public T Own<T>(T item)
        where T : IDisposable
    {
        _owned.Add(item);
        return item;
    }

    // Closes every connection and ends every server of the scenario before the next one starts its own.
    public void Dispose()
    {
        for (var i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
        _owned.Clear();
    }

    private static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));
}
