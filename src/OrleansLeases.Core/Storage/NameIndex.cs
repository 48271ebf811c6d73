using OrleansLeases.Core;

namespace OrleansLeases.Storage;

/// <summary>Names in the byte order of their UTF-8. Thread-safe; a reader keeps others waiting for one portion at a time.</summary>
internal sealed class NameIndex
{
    private const int Portion = 128;

    private readonly Lock _gate = new();
    private readonly SortedSet<string> _names = new(Utf8Order.Instance);

    public void Add(string name)
    {
        lock (_gate) _names.Add(name);
    }

    /// <summary>Has a name stand here or not. Of two calls at once, the later one finds what is true after both.</summary>
    public void Set<T>(string name, T source, Func<T, string, bool> isPresent)
    {
        lock (_gate)
        {
            if (isPresent(source, name)) _names.Add(name);
            else _names.Remove(name);
        }
    }

    /// <summary>Reads the names that stand there when their portion is read.</summary>
    /// <param name="from">The first name that may come.</param>
    public IEnumerable<string> From(string from)
    {
        while (true)
        {
            string[] portion;
            lock (_gate)
            {
                if (_names.Max is not { } last || Utf8Order.Instance.Compare(from, last) > 0) yield break;
                portion = [.. _names.GetViewBetween(from, last).Take(Portion)];
            }

            foreach (var name in portion) yield return name;
            // No name holds the character that stands first of all, so nothing is between the two.
            from = portion[^1] + '\0';
        }
    }
}
