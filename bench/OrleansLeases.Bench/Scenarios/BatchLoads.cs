using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;
using OrleansLeases.Bench.Redis;

namespace OrleansLeases.Bench.Scenarios;

// A thousand leases a call, below their horizon.
internal sealed class LeaseBatches(ServerProcess server, LeaseClient[] clients, string prefix, string owner)
    : Load("leases, renew-batch", server, clients.Length)
{
    public const int Size = 1000;

    private readonly byte[][] _requests = new byte[clients.Length][];
    private readonly long[][] _tokens = new long[clients.Length][];

    public override int OperationsPerStep => Size;

    public override Task PrepareAsync() => Task.WhenAll(clients.Select(async (client, index) =>
    {
        var leases = new List<(int Name, long Token)>();
        for (var name = index * Size; name < (index + 1) * Size; name++)
            leases.Add((name, (await client.AcquireAsync(name, TimeSpan.FromHours(1))).Token));
        _tokens[index] = [.. leases.Select(lease => lease.Token)];
        _requests[index] = LeaseRequest.RenewBatch(prefix, Bench.OwnerOf(owner, index), leases);
    }));

    public override ValueTask StepAsync(int client) => clients[client].RenewBatchAsync(_requests[client], _tokens[client]);
}

// The same with a third of every batch crossing the horizon, as when a holder renews at a third of its ttl.
internal sealed class LeaseBatchesStoringThirds(ServerProcess server, LeaseClient[] clients, string prefix, string owner)
    : Load("leases, renew-batch, a third stored", server, clients.Length)
{
    private const int BatchesPerClient = 12;
    private const int FreshPerBatch = LeaseBatches.Size / 3;

    private readonly LeaseSupply _supply = new(clients);
    private readonly List<(int Name, long Token)>[] _renewed = [.. clients.Select(_ => new List<(int, long)>())];
    private readonly Queue<(byte[] Request, long[] Tokens)>[] _batches = [.. clients.Select(_ => new Queue<(byte[], long[])>())];

    public override int OperationsPerStep => LeaseBatches.Size;

    public override async Task BeginRoundAsync()
    {
        await _supply.FillAsync(BatchesPerClient * FreshPerBatch + LeaseBatches.Size - FreshPerBatch);
        await Task.WhenAll(clients.Select((_, index) => BuildAsync(index)));
    }

    public override bool HasMore(int client) => _batches[client].Count > 0;

    public override ValueTask StepAsync(int client)
    {
        var (request, tokens) = _batches[client].Dequeue();
        return clients[client].RenewBatchAsync(request, tokens);
    }

    private async Task BuildAsync(int client)
    {
        var renewed = _renewed[client];
        renewed.Clear();
        while (renewed.Count < LeaseBatches.Size - FreshPerBatch)
            renewed.Add(_supply.Take(client));
        await SendAsync(client, renewed);
        _batches[client].Clear();
        for (var i = 0; i < BatchesPerClient; i++)
        {
            var fresh = Enumerable.Range(0, FreshPerBatch).Select(_ => _supply.Take(client));
            _batches[client].Enqueue(Build(client, [.. renewed, .. fresh]));
        }
    }

    private ValueTask SendAsync(int client, List<(int Name, long Token)> leases)
    {
        var (request, tokens) = Build(client, leases);
        return clients[client].RenewBatchAsync(request, tokens);
    }

    private (byte[] Request, long[] Tokens) Build(int client, List<(int Name, long Token)> leases) =>
        (LeaseRequest.RenewBatch(prefix, Bench.OwnerOf(owner, client), leases), [.. leases.Select(lease => lease.Token)]);
}

// A thousand scripts in one pipeline.
internal sealed class RedisBatches(ServerProcess server, RedisClient[] clients) : Load("redis, pipelined", server, clients.Length)
{
    private readonly byte[][] _batches = new byte[clients.Length][];

    public override int OperationsPerStep => LeaseBatches.Size;

    public override async Task PrepareAsync()
    {
        await clients[0].LoadScriptsAsync();
        for (var i = 0; i < clients.Length; i++)
        {
            var names = Enumerable.Range(i * LeaseBatches.Size, LeaseBatches.Size).ToArray();
            foreach (var name in names)
                await clients[i].SetAsync(name);
            _batches[i] = clients[i].ExtendBatch(names);
        }
    }

    public override async ValueTask StepAsync(int client) => await clients[client].SendBatchAsync(_batches[client]);
}
