using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Etcd;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Leases;

namespace OrleansLeases.Bench.Scenarios;

// An etcd that holds a number of leases for a day, each with its key.
internal sealed class EtcdStore(Bench bench, int size)
{
    private const long DaySeconds = 86_400;

    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    private readonly ServerProcess _server = bench.StartEtcd();

    public int Size => size;

    public double BytesPerLease { get; private set; }

    public void Fill() => bench.Loop.Run(FillAsync, Limit);

    private async Task FillAsync()
    {
        var clients = bench.EtcdClients(_server, bench.Options.Clients);
        await CreateAsync(clients, "warm/", 1000);
        var empty = _server.ResidentBytes;
        await CreateAsync(clients, "held/", size);
        await bench.Loop.WaitAsync(Settling);
        BytesPerLease = (_server.ResidentBytes - empty) / (double)size;
    }

    private Task CreateAsync(EtcdClient[] clients, string prefix, int count) => bench.Loop.WhenAll(clients.Length, async client =>
    {
        for (var i = client; i < count; i += clients.Length)
        {
            var lease = await clients[client].GrantAsync(DaySeconds);
            if (!await clients[client].CreateAsync(LeaseRequest.NameOf(prefix, i), "owner", lease.Id))
                throw new BenchException("etcd: a new key existed before its creation.");
        }
    });
}
