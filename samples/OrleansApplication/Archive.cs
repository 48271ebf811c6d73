namespace OrleansApplication;

/// <summary>Something outside of Orleans that takes one writer at a time, and refuses lower tokens than it has seen.</summary>
internal sealed class Archive
{
    private readonly Lock _gate = new();
    private readonly List<long> _written = [];
    private int _now;

    public IReadOnlyCollection<long> Written => _written;

    public int MostAtOnce { get; private set; }

    public bool TokensOnlyGrew => _written.SequenceEqual(_written.Order().Distinct());

    public async Task WriteAsync(string customer, long token, CancellationToken stop)
    {
        lock (_gate)
        {
            if (_written.Any(seen => seen > token)) throw new InvalidOperationException($"Token {token} is stale.");
            MostAtOnce = Math.Max(MostAtOnce, ++_now);
            _written.Add(token);
        }

        Console.WriteLine($"  {customer} is written with token {token}");
        await Task.Delay(TimeSpan.FromSeconds(0.1), TimeProvider.System, stop);
        lock (_gate) _now--;
    }
}
