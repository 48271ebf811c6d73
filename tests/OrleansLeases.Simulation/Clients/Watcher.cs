using OrleansLeases.Simulation.Checking;

namespace OrleansLeases.Simulation.Clients;

/// <summary>
/// Watches one resource or key for as long as it lives: every change once and in order, or resync and then the state. Of a key it keeps
/// a cache.
/// </summary>
internal sealed class Watcher(World world, SimClient client, RecordKind kind, string name)
{
    private readonly Truth _truth = world.Truth;
    private readonly KeyCache? _cache = kind == RecordKind.Key ? new(world, name) : null;

    public string Name { get; } = name;

    public RecordKind Kind { get; } = kind;

    public SimClient Client { get; } = client;

    /// <summary>The last change that it knows of; null before it knows anything.</summary>
    public long? Known { get; private set; }

    public async Task RunAsync()
    {
        var request = Kind == RecordKind.Lease ? new WatchRequest { Resource = Name } : new WatchRequest { Key = Name };
        while (!world.IsOver)
        {
            var started = await Client.Service.WatchAsync(request).ConfigureAwait(false);
            if (!started.TryGetValue(out var watch, out _))
            {
                await Client.PauseAsync(TimeSpan.FromMilliseconds(200)).ConfigureAwait(false);
                continue;
            }

            Known = null;
            await foreach (var change in watch.WithCancellation(CancellationToken.None).ConfigureAwait(false)) Take(change);
        }
    }

    /// <summary>With all faults over it knows the end state.</summary>
    public void EndsAs(StoredRecord stored)
    {
        var last = Kind == RecordKind.Lease ? stored.Lease.Log.Last : stored.Key.Log.Last;
        if (Known != last)
            world.Scheduler.Fail("watch", $"The watcher of {Name} knows change {Known} in the end; the last is {last}.");
        _cache?.EndsAs(stored);
    }

    private void Take(WatchEvent change)
    {
        if (world.Planted.HasFlag(Planted.WatcherDropsResync) && change is WatchEvent.Resync) return;
        world.Scheduler.Trace.Add(world.Scheduler.Now, change.Name, Client.Name, change.ResumeFrom?.Sequence ?? 0);
        _cache?.Take(change);
        switch (change)
        {
            case WatchEvent.Resync:
                Known = null;
                break;
            case WatchEvent.LeaseSnapshot or WatchEvent.KeySnapshot:
                if (Known is not null) world.Scheduler.Fail("watch", $"{Name}: a state came without resync after change {Known}.");
                Known = change.ResumeFrom!.Value.Sequence;
                break;
            case WatchEvent.LeaseChanged { Lease: var lease }:
                Follow(change);
                _truth.ShowsChange(Kind, Name, change.ResumeFrom!.Value, lease.Kind.ToString(), lease.Token);
                if (lease.Kind is not (LeaseEventKind.Granted or LeaseEventKind.Breaking)) _truth.ToldEnded(Name, lease.Token);
                break;
            case WatchEvent.KeyChanged { Key: var key }:
                Follow(change);
                _truth.ShowsChange(Kind, Name, change.ResumeFrom!.Value, key.Kind.ToString(), 0);
                break;
        }
    }

    private void Follow(WatchEvent change)
    {
        var sequence = change.ResumeFrom!.Value.Sequence;
        if (Known is { } known && sequence != known + 1)
            world.Scheduler.Fail("watch", $"{Name}: change {sequence} came after {known}, without resync.");
        if (Known is null) world.Scheduler.Fail("watch", $"{Name}: change {sequence} came before any state.");
        Known = sequence;
    }
}
