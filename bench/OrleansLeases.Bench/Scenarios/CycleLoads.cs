using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Etcd;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;
using OrleansLeases.Bench.Redis;

namespace OrleansLeases.Bench.Scenarios;

// Acquire and release, both durable: two calls.
internal sealed class LeaseCycles(IServer server, LeaseClient[] clients, Names names, string row = "leases")
    : Load(row, server, clients.Length)
{
    public override async ValueTask StepAsync(int client)
    {
        var name = names.Next(client);
        var grant = await clients[client].AcquireAsync(name);
        await clients[client].ReleaseAsync(name, grant.Token);
    }
}

// A lease of its own, the key created under it, the lease revoked: three calls.
internal sealed class EtcdCycles(ServerProcess server, EtcdClient[] clients, Names names, string prefix, string row = "etcd")
    : Load(row, server, clients.Length)
{
    public override async ValueTask StepAsync(int client)
    {
        var key = LeaseRequest.NameOf(prefix, names.Next(client));
        var lease = await clients[client].GrantAsync(60);
        if (!await clients[client].CreateAsync(key, "owner", lease.Id))
            throw new BenchException($"etcd: {key} existed before its creation.");
        await clients[client].RevokeAsync(lease.Id);
    }
}

// What etcd's own recipes do for a client that locks often: one lease for all, the key created and deleted.
internal sealed class EtcdSessionCycles(ServerProcess server, EtcdClient[] clients, Names names, string prefix)
    : Load("etcd, one lease reused", server, clients.Length)
{
    private readonly long[] _leases = new long[clients.Length];

    public override async Task PrepareAsync()
    {
        for (var i = 0; i < clients.Length; i++)
            _leases[i] = (await clients[i].GrantAsync(3600)).Id;
    }

    public override async ValueTask StepAsync(int client)
    {
        var key = LeaseRequest.NameOf(prefix, names.Next(client));
        if (!await clients[client].CreateAsync(key, "owner", _leases[client]))
            throw new BenchException($"etcd: {key} existed before its creation.");
        await clients[client].DeleteAsync(key);
    }
}

// SET NX PX and a compare-and-delete script: two calls.
internal sealed class RedisCycles(ServerProcess server, RedisClient[] clients, Names names) : Load("redis", server, clients.Length)
{
    public override Task PrepareAsync() => clients[0].LoadScriptsAsync();

    public override async ValueTask StepAsync(int client)
    {
        var name = names.Next(client);
        await clients[client].SetAsync(name);
        await clients[client].CompareAndDeleteAsync(name);
    }
}
