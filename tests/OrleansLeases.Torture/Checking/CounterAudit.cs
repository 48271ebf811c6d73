namespace OrleansLeases.Torture.Checking;

/// <summary>
/// The additions to one counter. Each is positive, so what they returned says their order: it must have room for each of them, fit
/// their times, and lead to the end value. Not thread-safe.
/// </summary>
internal sealed class CounterAudit
{
    private readonly List<Addition> _additions = [];

    /// <param name="delta">What was added, more than 0.</param>
    /// <param name="invoked">When it was first asked for.</param>
    /// <param name="returned">When it was told that it is done; <see cref="TimeSpan.MaxValue"/> where it never was.</param>
    /// <param name="sum">What it was told; null where it never was.</param>
    public void Add(long delta, TimeSpan invoked, TimeSpan returned, long? sum) => _additions.Add(new(delta, invoked, returned, sum));

    /// <summary>What contradicts itself, or the value that the counter has in the end.</summary>
    public IEnumerable<string> FindFaults(long end)
    {
        var told = _additions.Where(addition => addition.Sum is not null).OrderBy(addition => addition.Sum).ToList();
        foreach (var (low, high) in told.Zip(told.Skip(1)))
            if (high.Sum - high.Delta < low.Sum) yield return $"{high} leaves no room for {low}.";
        var earliest = TimeSpan.MaxValue;
        foreach (var addition in Enumerable.Reverse(told))
        {
            if (earliest < addition.Invoked) yield return $"{addition} was made after a higher sum had been told at {earliest}.";
            if (addition.Returned < earliest) earliest = addition.Returned;
        }

        var possible = new HashSet<long> { told.Sum(addition => addition.Delta) };
        foreach (var open in _additions.Where(addition => addition.Sum is null))
            possible.UnionWith([.. possible.Select(sum => sum + open.Delta)]);
        if (!possible.Contains(end)) yield return $"It ends at {end}, and {told.Sum(addition => addition.Delta)} was told.";
        if (told is [.., var last] && last.Sum > end) yield return $"It ends at {end}, and {last} was told.";
    }

    private sealed record Addition(long Delta, TimeSpan Invoked, TimeSpan Returned, long? Sum);
}
