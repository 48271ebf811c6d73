using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>
/// Names in the order of the time from which a sweep should look at them: no later than they are idle. A name that is used again and again
/// keeps its place, and is moved when a sweep meets it. Thread-safe.
/// </summary>
internal sealed class IdleNames
{
    // At a time: who makes a name idle waits for this.
    private const int MostLookedAt = 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _places = new(StringComparer.Ordinal);
    private readonly SortedSet<(long At, string Name)> _order = new(Comparer<(long At, string Name)>.Create(
        static (one, other) => one.At != other.At ? one.At.CompareTo(other.At) : Utf8Order.Instance.Compare(one.Name, other.Name)));

    /// <summary>A name is idle from now on.</summary>
    public void Note(string name, long since)
    {
        lock (_gate)
        {
            if (_places.TryAdd(name, since)) _order.Add((since, name));
        }
    }

    /// <summary>Finds a page of names that are idle.</summary>
    /// <param name="query">Selects the page.</param>
    /// <param name="idleSince">Since when a name is; null where it is not, or is gone.</param>
    public List<DueRecord> Find(DueQuery query, Func<string, long?> idleSince)
    {
        var found = new List<DueRecord>();
        lock (_gate)
        {
            var next = query.After is { } last ? (last.At, last.Name + '\0') : (long.MinValue, "");
            for (var looked = 0;
                looked < MostLookedAt && found.Count < query.Limit && FirstFrom_NeedsLock(next) is { } place && place.At <= query.Until;
                looked++)
            {
                next = (place.At, place.Name + '\0');
                var since = idleSince(place.Name);
                if (since == place.At)
                {
                    if (query.Takes(place.Name)) found.Add(new(place.Name, place.At));
                    continue;
                }

                _order.Remove(place);
                _places.Remove(place.Name);
                if (since is { } moved) Note(place.Name, moved);
            }
        }

        return found;
    }

    private (long At, string Name)? FirstFrom_NeedsLock((long At, string Name) from)
    {
        var last = _order.Max;
        if (last.Name is null || _order.Comparer.Compare(from, last) > 0) return null;
        return _order.GetViewBetween(from, last).Min is { Name: not null } first ? first : null;
    }
}
