using System.Globalization;

namespace OrleansLeases.Simulation.Scheduling;

/// <summary>
/// What happened, in order: as one number, which is the same whenever a seed is run, and as lines, to find the first
/// difference between two runs, or what came before a violation.
/// </summary>
internal sealed class Trace
{
    private const int Kept = 120;

    private readonly Entry[] _last = new Entry[Kept];
    private readonly TextWriter? _writer;

    /// <param name="writer">Where every line goes; null where only the last ones are kept.</param>
    public Trace(TextWriter? writer) => _writer = writer;

    public ulong Hash { get; private set; } = 14695981039346656037;

    public long Count { get; private set; }

    /// <summary>Adds an entry. Nothing of it may differ between two runs of a seed, as a request id does.</summary>
    public void Add(TimeSpan at, string what, string who, long one = 0, long other = 0)
    {
        Mix(at.Ticks);
        foreach (var letter in what) Mix(letter);
        foreach (var letter in who) Mix(letter);
        Mix(one);
        Mix(other);
        var entry = new Entry(at, what, who, one, other);
        _last[Count++ % Kept] = entry;
        _writer?.WriteLine(entry.ToString());
    }

    public IEnumerable<string> Last() =>
        Enumerable.Range(0, (int)Math.Min(Count, Kept)).Select(back => _last[(Count - Math.Min(Count, Kept) + back) % Kept].ToString());

    private void Mix(long value) => Hash = (Hash ^ (ulong)value) * 1099511628211 ^ (Hash >> 29);

    private readonly record struct Entry(TimeSpan At, string What, string Who, long One, long Other)
    {
        public override string ToString() =>
            string.Create(CultureInfo.InvariantCulture, $"{At.TotalSeconds,14:0.0000000} {Who,-12} {What} {One} {Other}");
    }
}
