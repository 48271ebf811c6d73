namespace OrleansLeases.Simulation.Clients;

/// <summary>
/// Watches what is below a prefix: of each name every change, in order, from when the watch began or last said resync. Of keys it keeps
/// a cache.
/// </summary>
internal sealed class PrefixWatcher(World world, SimClient client, string prefix)
{
    // So long after a silo has joined or was lost others may know nothing of it, and are frozen themselves.
    private static readonly TimeSpan LatestResync = TimeSpan.FromSeconds(90);

    private readonly Dictionary<(RecordKind Kind, string Name), (long Number, bool IsShown)> _known = [];
    private readonly PrefixCache _cache = new(world, client, prefix);
    private int _resyncs;

    public async Task RunAsync()
    {
        while (!world.IsOver)
        {
            var started = await client.Service.WatchAsync(new() { Prefix = prefix }).ConfigureAwait(false);
            if (!started.TryGetValue(out var watch, out _))
            {
                await client.PauseAsync(TimeSpan.FromMilliseconds(200)).ConfigureAwait(false);
                continue;
            }

            Restart();
            await foreach (var change in watch.WithCancellation(CancellationToken.None).ConfigureAwait(false)) Take(change);
        }
    }

    /// <summary>With all faults over no change is missing.</summary>
    public void EndsAs()
    {
        foreach (var row in Rows)
        {
            var (known, last) = (_known.GetValueOrDefault((row.Kind, row.Name)).Number, row.State.Last);
            if (known < last && !world.Truth.AreStray(row.Kind, row.Name, known, last))
                world.Scheduler.Fail("watch", $"Below '{prefix}' change {known} of {row.Name} is the last that was shown, and not {last}.");
        }

        _cache.EndsAs(Rows.Where(row => row.Kind == RecordKind.Key));
    }

    // What a host had sent before an older copy was restored may arrive after the watcher has read that copy.
    private bool MayTellOfAnotherHistory => world.Scheduler.Now - world.Truth.RestoredAt < LatestResync;

    // Of a name whose record was dropped, all that was stored before that counts.
    private IEnumerable<StoredRecord> Rows =>
        world.Store.Rows.Concat(world.Store.Dropped).Where(row => row.Name.StartsWith(prefix, StringComparison.Ordinal));

    // What is stored by now is read, so that only later changes have to come.
    private void Restart()
    {
        _resyncs++;
        _known.Clear();
        foreach (var row in Rows) _known[(row.Kind, row.Name)] = (row.State.Last, false);
        _cache.Restart();
    }

    private void Take(WatchEvent change)
    {
        switch (change)
        {
            case WatchEvent.Resync:
                if (!world.Planted.HasFlag(Planted.WatcherDropsResync)) Restart();
                break;
            case WatchEvent.LeaseChanged { Lease: { Resource: { } resource } lease }:
                Follow(RecordKind.Lease, resource, lease.Sequence);
                break;
            case WatchEvent.KeyChanged { Key: var key }:
                Follow(RecordKind.Key, key.Key, key.Version);
                _cache.Take(key.Key, key.Version, key.Value);
                break;
        }
    }

    private void Follow(RecordKind kind, string name, long number)
    {
        var (known, isShown) = _known.GetValueOrDefault((kind, name));
        if (number <= known && !isShown) return;
        _known[(kind, name)] = (number, true);
        if (number == known + 1 || world.Truth.AreStray(kind, name, known, number - 1)) return;
        var gap = $"Below '{prefix}' change {number} of {name} came after {known}, without resync.";
        if ((isShown || !world.IsCluster) && !MayTellOfAnotherHistory)
        {
            world.Scheduler.Fail("watch", gap);
            return;
        }

        // A silo that had joined or was lost may have stored what is missing, and the watch's silo hears of that later. Or the watch is
        // one of a host that is gone, and its connection breaks.
        var resyncs = _resyncs;
        world.Scheduler.After(LatestResync, () =>
        {
            if (resyncs == _resyncs) world.Scheduler.Fail("watch", gap);
        });
    }
}
