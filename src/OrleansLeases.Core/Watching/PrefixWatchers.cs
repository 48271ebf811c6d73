using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace OrleansLeases.Core;

/// <summary>
/// Tells those who watch names by their prefix what the keepers of one process store. Thread-safe; costs next to nothing
/// where nobody watches.
/// </summary>
public sealed class PrefixWatchers
{
    private readonly Lock _gate = new();
    private volatile PrefixWatcher[] _all = [];

    internal void Publish(string name, IHistory record, long after)
    {
        var watchers = _all;
        if (watchers.Length == 0) return;
        List<WatchEvent>? changes = null;
        foreach (var watcher in watchers)
        {
            if (!watcher.Covers(name)) continue;
            if (record.First > after + 1) watcher.CutOff();
            foreach (var change in changes ??= [.. record.After(name, after)]) watcher.Offer(change);
        }
    }

    /// <summary>A change may have happened that nobody will be told of.</summary>
    internal void Lose(string name)
    {
        foreach (var watcher in _all)
        {
            if (watcher.Covers(name)) watcher.CutOff();
        }
    }

    internal PrefixWatcher Add(string prefix)
    {
        var watcher = new PrefixWatcher(this, prefix);
        lock (_gate) _all = [.. _all, watcher];
        return watcher;
    }

    internal void Remove(PrefixWatcher watcher)
    {
        lock (_gate) _all = [.. _all.Where(other => other != watcher)];
    }
}

/// <summary>
/// One watcher's share of what happens under a prefix: a queue that is cut off rather than allowed to grow, and taken out
/// at once, so that whoever never reads costs no more than one full queue. One reader.
/// </summary>
internal sealed class PrefixWatcher(PrefixWatchers all, string prefix) : IDisposable
{
    // Enough for what a batch of a store's writes brings at once, several times over.
    private const int Capacity = 4_096;

    // A large value takes the room of several events, so that a full queue is 32 MiB at the very most.
    private const int CharsPerEvent = 4_096;

    private readonly Channel<WatchEvent> _events = Channel.CreateUnbounded<WatchEvent>(new UnboundedChannelOptions { SingleReader = true });
    private int _room = Capacity;

    public bool Covers(string name) => name.StartsWith(prefix, StringComparison.Ordinal);

    // By one keeper at a time for each name, and by many for the prefix.
    public void Offer(WatchEvent change)
    {
        if (Interlocked.Add(ref _room, -RoomOf(change)) < 0 || !_events.Writer.TryWrite(change)) CutOff();
    }

    /// <summary>Ends the events: the reader is told that it may have missed some once it has read those that are here.</summary>
    public void CutOff()
    {
        if (_events.Writer.TryComplete()) all.Remove(this);
    }

    public async IAsyncEnumerable<WatchEvent> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var change in _events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            Interlocked.Add(ref _room, RoomOf(change));
            yield return change;
        }
    }

    public void Dispose() => CutOff();

    private static int RoomOf(WatchEvent change) => 1 + (change is WatchEvent.KeyChanged { Key.Value: { } value } ? value.Length / CharsPerEvent : 0);
}
