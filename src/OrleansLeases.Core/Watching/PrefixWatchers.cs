namespace OrleansLeases.Core;

/// <summary>
/// Shows the watches of name prefixes what the keepers of one process store. Thread-safe; costs next to nothing
/// where nobody watches.
/// </summary>
internal sealed class PrefixWatchers
{
    private readonly Lock _gate = new();
    private volatile PrefixWatcher[] _all = [];

    /// <summary>How many watch.</summary>
    public int Count => _all.Length;

    /// <summary>Watches every name with a prefix, until the reader falls behind or something may have been missed.</summary>
    /// <param name="prefix">The prefix; empty for all names.</param>
    /// <returns>The watch, started.</returns>
    public LeaseWatch Start(string prefix)
    {
        var watcher = new PrefixWatcher(this, prefix);
        lock (_gate) _all = [.. _all, watcher];
        return new LeaseWatch(watcher.Buffer.ReadAllAsync(), watcher.Buffer);
    }

    internal void Publish(string name, IHistory record, long after)
    {
        var watchers = _all;
        if (watchers.Length == 0) return;
        List<WatchEvent>? changes = null;
        foreach (var watcher in watchers)
        {
            if (!watcher.Covers(name)) continue;
            if (record.First > after + 1) watcher.Buffer.CutOff();
            foreach (var change in changes ??= [.. record.After(name, after)]) watcher.Buffer.Offer(change);
        }
    }

    /// <summary>A change may have happened that no watch will show.</summary>
    internal void Lose(string name)
    {
        foreach (var watcher in _all)
        {
            if (watcher.Covers(name)) watcher.Buffer.CutOff();
        }
    }

    private void Remove(PrefixWatcher watcher)
    {
        lock (_gate) _all = [.. _all.Where(other => other != watcher)];
    }

    // One watcher's share of what happens: offered by one keeper at a time for each name, and by many for the prefix. Cut
    // off it is taken out at once, so that a reader that never reads costs no more than one full buffer.
    private sealed class PrefixWatcher
    {
        private readonly string _prefix;

        public PrefixWatcher(PrefixWatchers all, string prefix)
        {
            _prefix = prefix;
            Buffer = new(() => all.Remove(this));
        }

        public WatchBuffer Buffer { get; }

        public bool Covers(string name) => name.StartsWith(_prefix, StringComparison.Ordinal);
    }
}
