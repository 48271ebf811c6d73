using OrleansLeases.Simulation.Hosts;
using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation;

/// <summary>What goes wrong from outside: one thing after the other, of the kinds that the seed switched on, and some at once.</summary>
internal sealed class Swarm(World world)
{
    private readonly Dice _dice = world.Dice.Fork();
    private readonly Scheduler _scheduler = world.Scheduler;
    private bool _ended;

    public async Task DisturbAsync()
    {
        var kinds = new List<(Faults Kind, Action Act)>
        {
            (Faults.Partitions, Partition),
            (Faults.StoreRestarts, () => world.Store.Restart(Length(5))),
            (Faults.Restores, () => _ = RestoreAsync()),
            (Faults.HostCrashes, () => _ = CrashHostAsync()),
            (Faults.HostStops, () => _ = StopHostAsync()),
            (Faults.Twins, Overlap),
            (Faults.HostFreezes, () => FreezeHost(asleep: false)),
            (Faults.HostSleeps, () => FreezeHost(asleep: true)),
            (Faults.ClientFreezes, () => FreezeClient(asleep: false)),
            (Faults.ClientSleeps, () => FreezeClient(asleep: true)),
            (Faults.ClientCrashes, CrashClient),
            (Faults.HostSteps, () => StepHost(_dice.Between(-World.WallOff, World.WallOff))),
            (Faults.HostSkews, () => StepHost(World.FarOff(_dice))),
            (Faults.StoreSteps, StepStore),
            (Faults.StoreCuts, CutFromStore),
            (Faults.TakenForDead, TakeForDead),
            (Faults.ClientSteps, () => Client()?.Step(_dice.Between(TimeSpan.FromHours(-1), TimeSpan.FromHours(1)), _scheduler.Now)),
            (Faults.ClientPauses, PauseClient),
        }.FindAll(kind => world.Faults.HasFlag(kind.Kind));
        while (!_ended && kinds.Count > 0)
        {
            await _scheduler.PassAsync(_dice.Skewed(TimeSpan.FromMilliseconds(20), world.Seldom(10))).ConfigureAwait(false);
            if (_ended) return;
            var (kind, act) = _dice.Pick(kinds);
            // A restored copy ends what the other checks rest on: rarely.
            if (kind != Faults.Restores || _dice.OneIn(5)) act();
        }
    }

    public void End() => _ended = true;

    // How long after it woke a host may lag: until a look at the database's clock, and then for what it had taken over before.
    private TimeSpan? Lags => world.ComparesClocks && !world.Faults.HasFlag(Faults.StoreSteps)
        ? TimeSpan.FromSeconds(110)
        : null;

    private TimeSpan Length(int mostSeconds) => _dice.Skewed(TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(mostSeconds));

    private void Partition()
    {
        var host = Cluster.PlaceName(_dice.Next(world.Cluster.Hosts.Length));
        var other = world.IsCluster && _dice.OneIn(3) ? Cluster.PlaceName(_dice.Next(world.Cluster.Hosts.Length)) : Client()?.Name;
        if (other is null || other == host) return;
        var (from, to) = _dice.OneIn(2) ? (host, other) : (other, host);
        world.Network.Cut(from, to);
        var both = _dice.OneIn(2);
        if (both) world.Network.Cut(to, from);
        _scheduler.After(Length(20), () =>
        {
            world.Network.Heal(from, to);
            world.Network.Heal(to, from);
        });
    }

    private async Task CrashHostAsync()
    {
        var place = _dice.Next(world.Cluster.Hosts.Length);
        if (world.Cluster.Hosts[place] is null || world.IsRestoring) return;
        await CrashAsync(place).ConfigureAwait(false);
    }

    private async Task CrashAsync(int place)
    {
        world.CrashHost(place);
        await _scheduler.PassAsync(Length(15)).ConfigureAwait(false);
        if (world.Cluster.Hosts[place] is null && !world.IsRestoring) world.StartHost(place);
    }

    private void CutFromStore()
    {
        if (!world.IsCluster || world.Cluster.Hosts[_dice.Next(world.Cluster.Hosts.Length)] is not { } host) return;
        host.Process.IsCutFromStore = true;
        _scheduler.After(Length(20), () => host.Process.IsCutFromStore = false);
    }

    // Frozen, or not heard. It reads the table of members every so often, once it runs.
    private void TakeForDead()
    {
        var place = _dice.Next(world.Cluster.Hosts.Length);
        if (!world.IsCluster || world.IsRestoring || world.Cluster.Hosts[place] is not { IsTakenForDead: false } host) return;
        world.Cluster.Membership.TakeForDead(host);
        _scheduler.After(Length(15), () => host.Process.Run(() =>
        {
            if (world.Cluster.Hosts[place] == host) _ = CrashAsync(place);
        }));
    }

    private async Task StopHostAsync()
    {
        var place = _dice.Next(world.Cluster.Hosts.Length);
        if (world.Cluster.Hosts[place] is not { Process.IsRunning: true } host || world.IsRestoring) return;
        host.Stop();
        await _scheduler.PassAsync(Length(3)).ConfigureAwait(false);
        if (world.Cluster.Hosts[place] != host) return;
        world.CrashHost(place);
        await _scheduler.PassAsync(Length(5)).ConfigureAwait(false);
        if (world.Cluster.Hosts[place] is null && !world.IsRestoring) world.StartHost(place);
    }

    // As an operator does it: with the service stopped.
    private async Task RestoreAsync()
    {
        world.Store.BackUp();
        await _scheduler.PassAsync(Length(30)).ConfigureAwait(false);
        if (_ended || world.IsRestoring) return;
        world.IsRestoring = true;
        for (var place = 0; place < world.Cluster.Hosts.Length; place++) world.CrashHost(place);
        await _scheduler.PassAsync(Length(2)).ConfigureAwait(false);
        world.IsRestoring = false;
        // The end has started them again, and a copy is restored only while none runs.
        if (_ended) return;
        world.CheckHistories();
        if (world.Store.Restore()) world.Forget();
        for (var place = 0; place < world.Cluster.Hosts.Length; place++) world.StartHost(place);
    }

    private void Overlap()
    {
        if (!world.IsCluster) return;
        var names = world.Names.Resources.Concat(world.Names.Keys).ToList();
        for (var count = _dice.Between(1, 4); count > 0; count--)
            world.Cluster.Believe(
                _dice.Next(world.Cluster.Hosts.Length), _dice.Pick(names), _dice.Next(world.Cluster.Hosts.Length));
        if (_dice.OneIn(5)) world.Cluster.Agree();
    }

    private void FreezeHost(bool asleep)
    {
        if (world.Cluster.Hosts[_dice.Next(world.Cluster.Hosts.Length)] is not { Process.IsRunning: true } host) return;
        var length = Length(20);
        host.Process.Freeze(asleep);
        if (asleep) world.Truth.Promises.Sleeps(length, Lags);
        _scheduler.After(length, host.Process.Thaw);
    }

    private void FreezeClient(bool asleep)
    {
        if (Client() is not { Process.IsRunning: true } client || (asleep && !client.MaySleep(_scheduler.Now))) return;
        client.Process.Freeze(asleep);
        _scheduler.After(Length(20), client.Process.Thaw);
    }

    private void PauseClient()
    {
        if (Client() is not { Process.IsRunning: true } client) return;
        var length = Length(20);
        client.Pause(_scheduler.Now + length);
        _scheduler.After(length, client.Process.Thaw);
    }

    private void CrashClient()
    {
        if (Client() is not { } client) return;
        world.CrashClient(client);
        _scheduler.After(Length(5), () =>
        {
            if (!world.IsEnding) world.StartClient(acts: true);
        });
    }

    private void StepStore() => world.Store.SetClock(_dice.OneIn(3) ? TimeSpan.Zero : World.FarOff(_dice), world.Cluster.Hosts);

    private void StepHost(TimeSpan ahead)
    {
        if (world.Cluster.Hosts[_dice.Next(world.Cluster.Hosts.Length)] is not { Process.IsRunning: true } host) return;
        var clock = host.Process.Clock;
        clock.StepWall(ahead - clock.WallAhead);
        world.Store.NoteClock(host.Process);
    }

    private Clients.SimClient? Client() => world.Clients.Count > 0 ? _dice.Pick(world.Clients) : null;
}
