using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Etcd;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// The waiter watches the key, holds a lease ready, and creates the key when it is deleted.
internal sealed class EtcdHandOver(Bench bench, ServerProcess server)
{
    private const int Pairs = 64;
    private const long ShortestTtl = 2;

    private static readonly TimeSpan UntilWaiting = TimeSpan.FromMilliseconds(5);

    private readonly EtcdClient[] _holders = bench.EtcdClients(server, Pairs);
    private readonly EtcdClient[] _waiters = bench.EtcdClients(server, Pairs);
    private readonly Pending<TimeSpan>?[] _deleted = new Pending<TimeSpan>?[Pairs];

    public async Task AfterReleaseAsync(TimeSpan end, Samples samples)
    {
        await WatchAsync(0);
        while (Clock.Now < end)
        {
            var held = await HoldAsync(0, 60);
            var next = await _waiters[0].GrantAsync(60);
            var deleted = _deleted[0]!.Start();
            await bench.Loop.WaitAsync(UntilWaiting);
            var released = Clock.Now;
            var revoked = _holders[0].RevokeAsync(held.Id).AsTask();
            await deleted;
            await CreateAsync(_waiters[0], 0, next.Id);
            samples.Add(Clock.Now - released);
            await revoked;
            await EndAsync(0, next.Id);
        }
    }

    public Task AfterExpiryAsync(TimeSpan end, Samples samples) => bench.Loop.WhenAll(Pairs, async pair =>
    {
        await WatchAsync(pair);
        await bench.Loop.WaitAsync(TimeSpan.FromSeconds(1) * pair / Pairs);
        while (Clock.Now < end)
        {
            var sent = Clock.Now;
            var held = await HoldAsync(pair, ShortestTtl);
            var next = await _waiters[pair].GrantAsync(60);
            await _deleted[pair]!.Start();
            await CreateAsync(_waiters[pair], pair, next.Id);
            samples.Add(Clock.Now - sent - TimeSpan.FromSeconds(held.Ttl));
            await EndAsync(pair, next.Id);
        }
    });

    private static string Key(int pair) => LeaseRequest.NameOf("handover/", pair);

    private static async Task CreateAsync(EtcdClient client, int pair, long lease)
    {
        if (!await client.CreateAsync(Key(pair), "owner", lease))
            throw new BenchException($"etcd: {Key(pair)} was there although its deletion had been told.");
    }

    private async Task WatchAsync(int pair)
    {
        if (_deleted[pair] is not null)
            return;
        var deleted = _deleted[pair] = new Pending<TimeSpan>();
        await EtcdWatch.OpenAsync(_waiters[pair].Connection, Key(pair), null, _ =>
        {
            if (deleted.Waiting)
                deleted.Complete(Clock.Now);
        });
    }

    private async Task<(long Id, long Ttl)> HoldAsync(int pair, long ttl)
    {
        var lease = await _holders[pair].GrantAsync(ttl);
        await CreateAsync(_holders[pair], pair, lease.Id);
        return lease;
    }

    // Ends the waiter's own turn and waits for that deletion to be told, lest it be taken for the next one.
    private async Task EndAsync(int pair, long lease)
    {
        var deleted = _deleted[pair]!.Start();
        await _waiters[pair].RevokeAsync(lease);
        await deleted;
    }
}
