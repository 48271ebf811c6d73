using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Checking;

/// <summary>
/// The additions to one counter. Each is positive, so what they returned says their order; that must be the order in which they were
/// made, with every one that was answered in it once.
/// </summary>
internal sealed class CounterHistory(string key, Scheduler scheduler)
{
    private readonly List<Addition> _additions = [];
    private bool _isCopy;

    public string Key { get; } = key;

    public Addition Begin(long delta, TimeSpan now)
    {
        var addition = new Addition(delta, now);
        _additions.Add(addition);
        return addition;
    }

    public void End(Addition addition, long sum, TimeSpan now)
    {
        // Of an addition from before a restore, nobody knows which history it belongs to.
        if (!_additions.Contains(addition)) return;
        (addition.Sum, addition.Returned) = (sum, now);
        foreach (var other in _additions)
        {
            if (other.Sum is not { } known || other == addition) continue;
            var (low, high) = known < sum ? (other, addition) : (addition, other);
            if (high.Sum - high.Delta < low.Sum)
                scheduler.Fail("counter", $"{Key}: {high} leaves no room for {low}.");
            if (high.Returned < low.Invoked) scheduler.Fail("counter", $"{Key}: {high} was answered before {low} was made.");
        }
    }

    /// <summary>What is there in the end: all that was answered, and of the rest nothing or all of each.</summary>
    public void EndsAt(long value)
    {
        if (_isCopy) return;
        var known = _additions.Where(addition => addition.Sum is not null).ToList();
        var certain = known.Sum(addition => addition.Delta);
        var rest = value - certain;
        var possible = new HashSet<long> { 0 };
        foreach (var open in _additions.Where(addition => addition.Sum is null))
            possible.UnionWith([.. possible.Select(sum => sum + open.Delta)]);
        if (!possible.Contains(rest))
            scheduler.Fail("counter", $"{Key} ends at {value}; {certain} was answered, {rest} is no sum of the rest.");
        if (known.Count > 0 && known.Max(addition => addition.Sum) > value)
            scheduler.Fail("counter", $"{Key} ends at {value}, below an answer.");
    }

    /// <summary>A restored copy begins another history.</summary>
    public void Forget()
    {
        _isCopy = true;
        _additions.Clear();
    }

    internal sealed class Addition(long delta, TimeSpan invoked)
    {
        public long Delta { get; } = delta;

        public TimeSpan Invoked { get; } = invoked;

        public TimeSpan Returned { get; set; } = TimeSpan.MaxValue;

        public long? Sum { get; set; }

        public override string ToString() => $"+{Delta} = {Sum} ({Invoked} to {Returned})";
    }
}
