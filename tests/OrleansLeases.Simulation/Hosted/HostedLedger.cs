using OrleansLeases.Client;
using OrleansLeases.Simulation.Scheduling;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation.Hosted;

/// <summary>What the instances do, seen from outside: no tick twice, no two runs and no two leaders at once.</summary>
internal sealed class HostedLedger(Scheduler scheduler)
{
    // What a process does that goes on after it was stopped, until it has looked at its clock.
    private static readonly TimeSpan Awakening = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<DateTimeOffset, Instance> _started = [];
    private readonly List<(Instance Instance, LeaseHandle Lease)> _runs = [];
    private readonly List<(Instance Instance, LeaseHandle Lease)> _leading = [];

    public int Ticks => _started.Count;

    public int Terms { get; private set; }

    public int Beaten { get; private set; }

    public TimeSpan LongestDelay { get; private set; }

    public bool HasStarted(DateTimeOffset tick) => _started.ContainsKey(tick);

    public void Starts(Instance instance, DateTimeOffset tick, LeaseHandle lease)
    {
        scheduler.Trace.Add(scheduler.Now, "runs", instance.Process.Name, tick.UtcTicks, lease.Token);
        if (_started.TryGetValue(tick, out var other))
            scheduler.Fail("one start a tick", $"{tick:o} was started by {other.Process.Name} and by {instance.Process.Name}.");
        _started[tick] = instance;
        var delay = SimClock.Start + scheduler.Now - tick;
        if (delay > LongestDelay) LongestDelay = delay;
        FailWhereTwo("one run at a time", _runs, instance, lease);
        _runs.RemoveAll(run => !run.Lease.IsValid());
        _runs.Add((instance, lease));
    }

    public void Leads(Instance instance, LeaseHandle lease)
    {
        scheduler.Trace.Add(scheduler.Now, "leads", instance.Process.Name, lease.Token);
        Terms++;
        foreach (var other in _leading.Where(other => !other.Instance.Process.HasCrashed && other.Instance.Process.IsRunning))
        {
            if (scheduler.Now - other.Instance.Process.ThawedAt > Awakening)
            {
                scheduler.Fail(
                    "one leader", $"{instance.Process.Name} starts to lead while {other.Instance.Process.Name} has not stopped.");
            }
        }

        _leading.Add((instance, lease));
    }

    public void LeadsNoMore(LeaseHandle lease) => _leading.RemoveAll(leading => leading.Lease == lease);

    public void Beats(Instance instance, LeaseHandle lease)
    {
        if (!lease.IsValid()) return;
        Beaten++;
        FailWhereTwo("one leader", _leading, instance, lease);
    }

    private void FailWhereTwo(string what, List<(Instance Instance, LeaseHandle Lease)> among, Instance instance, LeaseHandle lease)
    {
        if (!lease.IsValid()) return;
        var others = among.Where(other => other.Lease != lease && !other.Instance.Process.HasCrashed && other.Lease.IsValid());
        foreach (var other in others)
            scheduler.Fail(what, $"{instance.Process.Name} works while the lease of {other.Instance.Process.Name} is valid.");
    }
}
