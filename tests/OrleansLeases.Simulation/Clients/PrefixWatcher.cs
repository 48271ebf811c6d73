namespace OrleansLeases.Simulation.Clients;

/// <summary>Watches the resources below a prefix: of each every change, in order, for as long as nothing says resync.</summary>
internal sealed class PrefixWatcher(World world, SimClient client, string prefix)
{
    private readonly Dictionary<string, long> _known = [];

    public async Task RunAsync()
    {
        while (!world.IsOver)
        {
            var started = await client.Service.WatchAsync(new() { Prefix = prefix }).ConfigureAwait(false);
            _known.Clear();
            if (!started.TryGetValue(out var watch, out _))
            {
                await client.PauseAsync(TimeSpan.FromMilliseconds(200)).ConfigureAwait(false);
                continue;
            }

            await foreach (var change in watch.WithCancellation(CancellationToken.None).ConfigureAwait(false)) Take(change);
        }
    }

    private void Take(WatchEvent change)
    {
        switch (change)
        {
            case WatchEvent.Resync:
                if (!world.Planted.HasFlag(Planted.WatcherDropsResync)) _known.Clear();
                break;
            case WatchEvent.LeaseChanged { Lease: { Resource: { } resource } lease }:
                Follow(resource, lease.Sequence);
                break;
        }
    }

    private void Follow(string name, long sequence)
    {
        if (_known.TryGetValue(name, out var known) && sequence != known + 1)
            world.Scheduler.Fail("watch", $"Below '{prefix}' change {sequence} of {name} came after {known}, without resync.");
        _known[name] = sequence;
    }
}
