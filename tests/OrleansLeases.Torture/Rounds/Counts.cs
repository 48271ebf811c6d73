using System.Collections.Concurrent;

namespace OrleansLeases.Torture.Rounds;

/// <summary>What was done and how often, under the names of a summary. Thread-safe.</summary>
internal sealed class Counts
{
    private readonly ConcurrentDictionary<string, long> _of = new();

    public long this[string what] => _of.GetValueOrDefault(what);

    public void Add(string what, long count = 1) => _of.AddOrUpdate(what, count, (_, before) => before + count);

    public void Add(Counts others)
    {
        foreach (var (what, count) in others._of) Add(what, count);
    }

    public override string ToString() =>
        string.Join(", ", _of.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value:N0}"));
}
