using System.Globalization;
using OrleansLeases.Simulation.Hosts;
using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation;

/// <summary>
/// The end of a run, with all faults over: every call is answered, every abandoned name is granted again within the published grace,
/// nobody who waits is forgotten, and every watcher knows the end state.
/// </summary>
internal sealed class Calm(World world)
{
    private static readonly TimeSpan LatestStray = TimeSpan.FromSeconds(21);

    private readonly Scheduler _scheduler = world.Scheduler;

    public async Task CheckAsync()
    {
        Mend();
        var soon = world.LongLived ? TimeSpan.FromDays(10) : TimeSpan.FromMinutes(3);
        if (!await world.EndClientsAsync(soon).ConfigureAwait(false))
            _scheduler.Fail("liveness", "A client is not answered, though nothing goes wrong any more.");
        world.CheckHistories();
        await _scheduler.PassAsync(LatestStray).ConfigureAwait(false);
        // Nobody releases what they still hold.
        foreach (var client in world.Clients.ToArray()) world.CrashClient(client);
        var longest = world.LongestTtl + world.GraceOfPublished + World.LongestLockDelay;
        var slept = world.IsCluster ? TimeSpan.Zero : world.Truth.Promises.HostsSlept;
        await _scheduler.PassAsync((longest * 1.01) + slept + TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        if (!world.Faults.HasFlag(Faults.HostSkews))
        {
            await AllIsFreeAsync().ConfigureAwait(false);
            await NobodyIsForgottenAsync().ConfigureAwait(false);
        }

        await _scheduler.PassAsync(TimeSpan.FromSeconds(30)).ConfigureAwait(false);
        if (!world.LongLived) AllIsCleaned();
        await AllIsKnownAsync().ConfigureAwait(false);
    }

    private void Mend()
    {
        world.Network.HealAll();
        world.Cluster.Agree();
        world.Store.Restart(TimeSpan.Zero);
        world.Store.SetClock(TimeSpan.Zero, world.Cluster.Hosts);
        for (var place = 0; place < world.Cluster.Hosts.Length; place++)
        {
            if (world.Cluster.Hosts[place] is { } host && (host.IsTakenForDead || host.Keepers.Ended is not null)) world.CrashHost(place);
            if (world.Cluster.Hosts[place] is null) world.StartHost(place);
            var mended = world.Cluster.Hosts[place]!;
            mended.Process.Thaw();
            mended.Process.IsCutFromStore = false;
            // Hosts that compare their clocks find within 10 s that they are right.
            if (world.ComparesClocks) mended.Process.Clock.StepWall(-mended.Process.Clock.WallAhead);
            else if (world.IsCluster) mended.LeaseClock.Calibrate(mended.LeaseClock.ReadRaw());
        }

        foreach (var client in world.Clients) client.Process.Thaw();
    }

    // I5.
    private async Task AllIsFreeAsync()
    {
        foreach (var host in world.Cluster.Hosts)
        {
            foreach (var resource in world.Names.Resources)
            {
                var granted = await host!.Front.AcquireAsync(
                    new() { Resource = resource, Owner = "next", Ttl = TimeSpan.FromSeconds(1) }).ConfigureAwait(false);
                if (!granted.TryGetValue(out var grant, out var refusal))
                {
                    _scheduler.Fail("I5", $"{resource} is not free after ttl, grace and lock-delay: {refusal}");
                    return;
                }

                await host.Front.ReleaseAsync(new() { Resource = resource, Owner = "next", Token = grant.Token }).ConfigureAwait(false);
            }
        }
    }

    private async Task NobodyIsForgottenAsync()
    {
        var resource = world.Names.Exclusive[0];
        var host = world.Cluster.Hosts[0]!;
        var ttl = TimeSpan.FromSeconds(2);
        // The first lease is abandoned and the second released: each time the next waiter is granted.
        var first = await host.Front.AcquireAsync(new() { Resource = resource, Owner = "first", Ttl = ttl }).ConfigureAwait(false);
        var second = WaitAs("second");
        // On their way to another host they could overtake each other.
        await _scheduler.PassAsync(TimeSpan.FromMilliseconds(100)).ConfigureAwait(false);
        var third = WaitAs("third");
        if (first.Refusal is { } refused) _scheduler.Fail("liveness", $"{resource} is not granted: {refused}");
        await _scheduler.PassAsync(ttl + TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        if (!second.IsCompleted || !second.Result.TryGetValue(out var grant, out _))
        {
            _scheduler.Fail("liveness", $"The waiter of {resource} is forgotten when its lease expires.");
            return;
        }

        await host.Front.ReleaseAsync(new() { Resource = resource, Owner = "second", Token = grant.Token }).ConfigureAwait(false);
        await _scheduler.PassAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);
        if (!third.IsCompleted || third.Result.Refusal is not null)
            _scheduler.Fail("liveness", $"The waiter of {resource} is forgotten when its lease is released.");

        Task<LeaseResult<LeaseGrant>> WaitAs(string owner) => host.Front.AcquireAsync(
            new() { Resource = resource, Owner = owner, Ttl = ttl, Wait = TimeSpan.FromSeconds(8) }).AsTask();
    }

    // I6. Sweeps are too seldom for that where leases live for hours.
    private void AllIsCleaned()
    {
        foreach (var row in world.Store.Rows.Where(row => row is { Kind: RecordKind.Key, Key.Binding: not null }))
        {
            var lease = row.Key.Binding!;
            if (world.Store.Read(RecordKind.Lease, lease.Resource).Lease.Holders.All(holder => holder.Token != lease.Token))
                _scheduler.Fail("I6", $"{row.Name} is still stored, and its lease has ended: {lease}.");
        }
    }

    private async Task AllIsKnownAsync()
    {
        foreach (var watcher in world.Watchers) watcher.EndsAs(world.Store.Read(watcher.Kind, watcher.Name));
        world.PrefixWatcher?.EndsAs();

        foreach (var counter in world.Counters)
        {
            var read = await world.Cluster.Hosts[0]!.Front.GetKeyAsync(counter.Key).ConfigureAwait(false);
            counter.EndsAt(read.TryGetValue(out var value, out _) ? long.Parse(value.Value, CultureInfo.InvariantCulture) : 0);
        }
    }
}
