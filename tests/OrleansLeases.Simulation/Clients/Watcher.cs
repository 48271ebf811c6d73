using OrleansLeases.Simulation.Checking;

namespace OrleansLeases.Simulation.Clients;

/// <summary>
/// Watches one resource or key for as long as it lives: every change once and in order, or resync and then the state. Of a key it keeps
/// a cache.
/// </summary>
internal sealed class Watcher(World world, SimClient client, RecordKind kind, string name, bool leaves)
{
    private readonly Scheduling.Dice _dice = world.Dice.Fork();
    private readonly Truth _truth = world.Truth;
    private readonly KeyCache? _cache = kind == RecordKind.Key ? new(world, name) : null;
    private WatchPoint? _left;

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
            var started = await Client.Service.WatchAsync(request with { Since = _left }).ConfigureAwait(false);
            if (!started.TryGetValue(out var watch, out _))
            {
                await Client.PauseAsync(TimeSpan.FromMilliseconds(200)).ConfigureAwait(false);
                continue;
            }

            if (_left is null) Known = null;
            await ReadAsync(watch).ConfigureAwait(false);
        }
    }

    // It may leave, and come back with the last change that it knows of.
    private async Task ReadAsync(LeaseWatch watch)
    {
        using var left = new CancellationTokenSource(
            leaves && !world.IsEnding ? AWhile() : Timeout.InfiniteTimeSpan, Client.Process.Clock);
        try
        {
            await foreach (var change in watch.WithCancellation(left.Token).ConfigureAwait(false))
            {
                _left = change.ResumeFrom ?? _left;
                Take(change);
            }

            _left = null;
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested)
        {
            await Client.PauseAsync(AWhile()).ConfigureAwait(false);
        }
    }

    private TimeSpan AWhile() => _dice.Skewed(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30));

    /// <summary>With all faults over it knows the end state.</summary>
    public void EndsAs(StoredRecord stored)
    {
        var last = stored.State.Last;
        // Where nothing was done to it since its record was dropped, there is no last change to know.
        var isUnused = stored.State.First > last;
        if (Known is null || (Known != last && !isUnused))
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
        var isFirst = Known == 0 && _truth.Names.IsFirst(Kind, Name, sequence);
        if (Known is { } known && sequence != known + 1 && !isFirst)
            world.Scheduler.Fail("watch", $"{Name}: change {sequence} came after {known}, without resync.");
        if (Known is null) world.Scheduler.Fail("watch", $"{Name}: change {sequence} came before any state.");
        Known = sequence;
    }
}
