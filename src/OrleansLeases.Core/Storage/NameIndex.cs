using OrleansLeases.Core;

namespace OrleansLeases.Storage;

/// <summary>Names in the byte order of their UTF-8. Thread-safe; a reader takes the lock for one batch at a time.</summary>
internal sealed class NameIndex
{
    private const int BatchSize = 128;

    private readonly Lock _gate = new();
    private readonly SortedSet<string> _names = new(Utf8Order.Instance);

    public void Add(string name)
    {
        lock (_gate) _names.Add(name);
    }

    /// <summary>Adds or removes a name. Of two concurrent calls, the later one sees the state after both.</summary>
    public void Set<T>(string name, T source, Func<T, string, bool> isPresent)
    {
        lock (_gate)
        {
            if (isPresent(source, name)) _names.Add(name);
            else _names.Remove(name);
        }
    }

    /// <summary>Reads the names that are there when their batch is read.</summary>
    /// <param name="from">The first name, inclusive.</param>
    public IEnumerable<string> From(string from)
    {
        while (true)
        {
            string[] batch;
            lock (_gate)
            {
                if (_names.Max is not { } last || Utf8Order.Instance.Compare(from, last) > 0) yield break;
                batch = [.. _names.GetViewBetween(from, last).Take(BatchSize)];
            }

            foreach (var name in batch) yield return name;
            // The least string that is greater: names contain no U+0000.
            from = batch[^1] + '\0';
        }
    }
}
