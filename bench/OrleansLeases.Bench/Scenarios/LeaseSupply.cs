using OrleansLeases.Bench.Leases;

namespace OrleansLeases.Bench.Scenarios;

// Leases acquired and never renewed yet, ready to be taken by their clients.
internal sealed class LeaseSupply(LeaseClient[] clients)
{
    private readonly Queue<(int Name, long Token)>[] _fresh = [.. clients.Select(_ => new Queue<(int, long)>())];
    private int _nextName = 1_000_000;

    // How many were taken since the last filling.
    public int Used { get; private set; }

    public int Count(int client) => _fresh[client].Count;

    public (int Name, long Token) Take(int client)
    {
        Used++;
        return _fresh[client].Dequeue();
    }

    // They are all fresh: what is left from before goes away unused, for it may be about to expire.
    public async Task FillAsync(int perClient)
    {
        await Task.WhenAll(clients.Select((client, index) => FillAsync(client, index, perClient)));
        Used = 0;
    }

    private async Task FillAsync(LeaseClient client, int index, int perClient)
    {
        _fresh[index].Clear();
        while (_fresh[index].Count < perClient)
        {
            var name = _nextName++;
            _fresh[index].Enqueue((name, (await client.AcquireAsync(name, TimeSpan.FromMinutes(10))).Token));
        }
    }
}
