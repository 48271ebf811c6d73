namespace OrleansLeases.Bench.Scenarios;

// Which name each client takes next. No two clients ever want the same one: contention is another scenario.
internal sealed class Names(int clients, int spread)
{
    private readonly int[] _steps = new int[clients];
    private readonly int _perClient = Math.Max(1, spread / clients);

    public static Names Own(int clients) => new(clients, clients);

    public int Next(int client)
    {
        // A stride prime to the share visits all of it, never two neighbours in a row.
        const int stride = 7919;
        var step = (int)((long)_steps[client]++ * stride % _perClient);
        return client + step * clients;
    }
}
