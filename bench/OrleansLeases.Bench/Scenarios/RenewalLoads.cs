using OrleansLeases.Bench.Etcd;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Http2;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;
using OrleansLeases.Bench.Redis;

namespace OrleansLeases.Bench.Scenarios;

// Each client renews one lease as fast as it can: all but one renewal in half a minute stay below the horizon.
internal sealed class LeaseRenewals(IServer server, LeaseClient[] clients, string row = "leases") : Load(row, server, clients.Length)
{
    private readonly long[] _tokens = new long[clients.Length];

    public override async Task PrepareAsync()
    {
        for (var i = 0; i < clients.Length; i++)
            _tokens[i] = (await clients[i].AcquireAsync(i)).Token;
    }

    public override async ValueTask StepAsync(int client) => await clients[client].RenewAsync(client, _tokens[client]);
}

// A client that renews at a third of its ttl crosses the horizon every third time. Here every third renewal is
// the first of a lease, which is always stored; the other two go to a lease renewed just before.
internal sealed class LeaseRenewalsStoringEveryThird(ServerProcess server, LeaseClient[] clients, int roundSeconds)
    : Load("leases, every third stored", server, clients.Length)
{
    private const int FirstSupply = 300;

    private readonly LeaseSupply _supply = new(clients);
    private readonly int[] _steps = new int[clients.Length];
    private readonly (int Name, long Token)[] _renewed = new (int, long)[clients.Length];
    private int _perRound;

    public override async Task BeginRoundAsync()
    {
        // The warm-up of a second tells how many a round will take.
        _perRound = _perRound == 0 ? FirstSupply : Math.Max(_perRound, _supply.Used / clients.Length * (roundSeconds + 1));
        await _supply.FillAsync(_perRound);
        for (var i = 0; i < clients.Length; i++)
            await RenewFreshAsync(i);
    }

    public override bool HasMore(int client) => _supply.Count(client) > 0;

    public override async ValueTask StepAsync(int client)
    {
        if (_steps[client]++ % 3 == 0)
            await RenewFreshAsync(client);
        else
            await clients[client].RenewAsync(_renewed[client].Name, _renewed[client].Token);
    }

    private async ValueTask RenewFreshAsync(int client)
    {
        var lease = _supply.Take(client);
        await clients[client].RenewAsync(lease.Name, lease.Token);
        _renewed[client] = lease;
    }
}

// A stream per client, one keep-alive in flight on each.
internal sealed class EtcdKeepAlives(ServerProcess server, EtcdClient[] clients, string row = "etcd") : Load(row, server, clients.Length)
{
    private readonly long[] _leases = new long[clients.Length];
    private readonly GrpcCall[] _streams = new GrpcCall[clients.Length];

    public override async Task PrepareAsync()
    {
        for (var i = 0; i < clients.Length; i++)
        {
            _leases[i] = (await clients[i].GrantAsync(600)).Id;
            _streams[i] = clients[i].OpenKeepAlive();
        }
    }

    public override ValueTask StepAsync(int client) => EtcdClient.KeepAliveAsync(_streams[client], _leases[client]);
}

// A compare-and-pexpire script.
internal sealed class RedisRenewals(ServerProcess server, RedisClient[] clients) : Load("redis", server, clients.Length)
{
    public override async Task PrepareAsync()
    {
        await clients[0].LoadScriptsAsync();
        for (var i = 0; i < clients.Length; i++)
            await clients[i].SetAsync(i);
    }

    public override async ValueTask StepAsync(int client) => await clients[client].CompareAndExtendAsync(client);
}
