using System.Globalization;
using OrleansLeases.Core;
using OrleansLeases.Simulation.Checking;
using OrleansLeases.Simulation.Clients;
using OrleansLeases.Simulation.Hosts;
using OrleansLeases.Simulation.Network;
using OrleansLeases.Simulation.Scheduling;
using OrleansLeases.Simulation.Store;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation.Hosted;

/// <summary>
/// Three instances of an application with a service that leads and a job each minute. Around each tick some of them are killed, frozen,
/// put to sleep or stopped, but for one, which another may be at the next tick.
/// </summary>
internal sealed class HostedWorld
{
    private const int Instances = 3;
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Before = TimeSpan.FromSeconds(5);

    // The clocks of two instances differ by twice as much.
    private static readonly TimeSpan ClockOff = TimeSpan.FromSeconds(1);

    private readonly Dice _dice;
    private readonly Scheduler _scheduler;
    private readonly Cluster _cluster;
    private readonly Truth _truth;
    private readonly LeaseHistories _histories;
    private readonly HostedLedger _ledger;
    private readonly List<Instance> _instances = [];
    private readonly List<Instance> _everyone = [];
    private readonly int _ticks;
    private readonly ulong _seed;
    private int _takenAlong;
    private int _faults;

    public HostedWorld(ulong seed, int ticks, TextWriter? trace)
    {
        (_seed, _ticks) = (seed, ticks);
        _dice = new(seed);
        _scheduler = new(_dice.Fork(), new Trace(trace));
        _truth = new(_scheduler, Retention.ForEver, areClocksWrong: false, mayEndLate: false);
        _histories = new(_scheduler, _truth, isCluster: false, HolderActor.Capacity);
        _ledger = new(_scheduler);
        // Every other seed has a network that loses messages.
        var network = new SimNetwork(_scheduler, seed % 2 == 0 ? Faults.Losses : Faults.None);
        _cluster = new(_scheduler, network, _truth, places: 1);
    }

    /// <summary>Runs it all; the answer is whether nothing was violated.</summary>
    public bool Run(TextWriter output)
    {
        _scheduler.At(TimeSpan.Zero, () => _ = GuardAsync());
        _scheduler.Run();
        if (_scheduler.Violation is { } violation)
        {
            foreach (var line in _scheduler.Trace.Last()) output.WriteLine(line);
            output.WriteLine($"VIOLATION {violation.Message}");
        }

        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"hosted seed {_seed}: {_ledger.Ticks} of {_ticks} ticks started, {_takenAlong} taken along by an instance that died or was "
            + $"stopped, the latest {_ledger.LongestDelay.TotalSeconds:0.0} s late; {_faults} faults, {_ledger.Terms} terms, "
            + $"{_ledger.Beaten} beats; {_scheduler.Events} events, hash {_scheduler.Trace.Hash:x16}"));
        return _scheduler.Violation is null;
    }

    private void StartServer()
    {
        var server = new SimProcess(_scheduler, Cluster.PlaceName(0), TimeSpan.FromDays(1), TimeSpan.Zero);
        var setting = new HostSetting(
            new LeaseLimits(), RenewalFactor: 2, TimeSpan.FromSeconds(1), Planted.None, SweepsSeldom: true, Retention.ForEver);
        var store = new HostStore(
            new SimStore(_scheduler, Faults.None, Planted.None, _truth), server, _scheduler, Planted.None, addsOrLoads: false,
            isOnlyWriter: true);
        _cluster.Hosts[0] = new(server, 0, 1, store, setting, _cluster);
    }

    private async Task GuardAsync()
    {
        try
        {
            await LiveAsync().ConfigureAwait(false);
            _scheduler.End();
        }
        catch (Exception defect)
        {
            _scheduler.Fail("defect", defect.ToString());
        }
    }

    private async Task LiveAsync()
    {
        StartServer();
        for (var i = 0; i < Instances; i++) Start();
        for (var minute = 1; minute <= _ticks; minute++)
        {
            await UntilAsync((minute * Minute) - Before).ConfigureAwait(false);
            // Those that ran until now may have been about to start the last tick.
            if (minute > 1) await CheckAsync(SimClock.Start + ((minute - 1) * Minute)).ConfigureAwait(false);
            Disturb(minute * Minute);
        }

        await UntilAsync(((_ticks + 1) * Minute) - Before).ConfigureAwait(false);
        await CheckAsync(SimClock.Start + (_ticks * Minute)).ConfigureAwait(false);
    }

    private Task UntilAsync(TimeSpan at) => _scheduler.PassAsync(at - _scheduler.Now);

    private void Start()
    {
        var process = new SimProcess(
            _scheduler, $"instance{_everyone.Count + 1}", _dice.Between(TimeSpan.FromSeconds(1), TimeSpan.FromDays(10)),
            _dice.Between(-ClockOff, ClockOff));
        var service = new RemoteService(_cluster, process, _truth, _histories, Planted.None);
        var instance = new Instance(process, service, _ledger, _dice.Fork());
        _instances.Add(instance);
        _everyone.Add(instance);
        instance.Start();
    }

    private void Disturb(TimeSpan tick)
    {
        var survivor = _dice.Pick(
            _instances.Where(instance => instance.Process.IsRunning && instance.DisturbedAt < _scheduler.Now).ToList());
        foreach (var instance in _instances.Where(instance => instance != survivor && instance.Process.IsRunning).ToList())
        {
            if (_dice.OneIn(4)) continue;
            _faults++;
            // Mostly while it reads the mark, acquires, marks and starts, by its own clock.
            var at = tick - instance.Process.Clock.WallAhead + _dice.Skewed(TimeSpan.FromMicroseconds(200), TimeSpan.FromSeconds(30));
            var what = _dice.Next(4);
            instance.DisturbedAt = TimeSpan.MaxValue;
            _scheduler.At(at, () => Disturb(instance, what));
        }
    }

    private void Disturb(Instance instance, int what)
    {
        instance.DisturbedAt = _scheduler.Now;
        switch (what)
        {
            case 0:
                instance.Process.Crash();
                _instances.Remove(instance);
                _scheduler.After(_dice.Skewed(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30)), Start);
                break;
            case 1:
                instance.Stop();
                _instances.Remove(instance);
                _scheduler.After(_dice.Skewed(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30)), Start);
                break;
            default:
                instance.Process.Freeze(asleep: what == 2);
                _scheduler.After(_dice.Skewed(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(150)), () =>
                {
                    instance.Process.Thaw();
                    instance.DisturbedAt = _scheduler.Now;
                });
                break;
        }
    }

    /// <summary>A tick was started, or taken by an instance that could not start it.</summary>
    private async Task CheckAsync(DateTimeOffset tick)
    {
        if (_ledger.HasStarted(tick)) return;
        var mark = (await _cluster.Hosts[0]!.Front.GetKeyAsync($"jobs/{Instance.Job}").ConfigureAwait(false)).Value.Value;
        var taker = _everyone.Find(instance => mark.Contains($"\"{instance.Process.Name}\"", StringComparison.Ordinal));
        var isTaken = mark.Contains($"{tick:yyyy-MM-ddTHH:mm:ss}", StringComparison.Ordinal);
        // By its own clock it was early by as much as that is ahead.
        if (!isTaken || taker is null || taker.DisturbedAt < tick - SimClock.Start - ClockOff || taker.HasStopped)
            _scheduler.Fail("every tick", $"{tick:o} was not started, and the mark is {mark}.");
        else
            _takenAlong++;
    }
}
