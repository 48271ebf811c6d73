namespace OrleansLeases.Simulation.Scheduling;

/// <summary>
/// All chance of a simulation, from one seed. An algorithm of its own, so that a seed means the same in every version of .NET.
/// </summary>
internal sealed class Dice(ulong seed) : Random(0)
{
    private ulong _state = seed;

    /// <summary>Others that go their own way: what draws from these changes nothing of what draws from those.</summary>
    public Dice Fork() => new(NextBits());

    public override int Next(int maxValue) => (int)((UInt128)NextBits() * (ulong)maxValue >> 64);

    public override double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    public int Between(int least, int most) => least + Next(most - least + 1);

    public bool OneIn(int count) => Next(count) == 0;

    public bool PerMille(int chance) => Next(1_000) < chance;

    public TimeSpan Between(TimeSpan least, TimeSpan most) =>
        new(least.Ticks + (long)((UInt128)NextBits() * (ulong)(most - least).Ticks >> 64));

    /// <summary>Mostly short and now and then long: each power of two between the two is as likely as the next.</summary>
    public TimeSpan Skewed(TimeSpan least, TimeSpan most)
    {
        var doublings = 0;
        for (var length = least; length < most; length *= 2) doublings++;
        var low = new TimeSpan(Math.Max(least.Ticks, 1) << Next(doublings + 1));
        var drawn = Between(low, low * 2);
        return drawn < most ? drawn : most;
    }

    public T Pick<T>(IReadOnlyList<T> choices) => choices[Next(choices.Count)];

    // SplitMix64.
    public ulong NextBits()
    {
        var bits = _state += 0x9E3779B97F4A7C15;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
        return bits ^ (bits >> 31);
    }
}
