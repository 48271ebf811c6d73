using OrleansLeases.Simulation.Scheduling;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation.Network;

/// <summary>Carries messages between processes: late, twice, out of order, not at all, or in one direction only.</summary>
internal sealed class SimNetwork(Scheduler scheduler, Faults faults)
{
    private readonly HashSet<(string From, string To)> _cut = [];

    public Faults Faults { get; set; } = faults;

    public Scheduler Scheduler => scheduler;

    /// <summary>Nothing arrives from one place at another any more.</summary>
    public void Cut(string from, string to)
    {
        scheduler.Trace.Add(scheduler.Now, "cut", from, to[^1]);
        _cut.Add((from, to));
    }

    public void Heal(string from, string to) => _cut.Remove((from, to));

    public void HealAll() => _cut.Clear();

    /// <summary>Sends a message.</summary>
    /// <param name="from">The place of the sender.</param>
    /// <param name="to">The place of the receiver.</param>
    /// <param name="receiver">Who is there when the message arrives; null where nobody is.</param>
    /// <param name="receive">What the receiver does with it.</param>
    /// <param name="once">It does not arrive twice.</param>
    public void Send(string from, string to, Func<SimProcess?> receiver, Action receive, bool once = false)
    {
        var dice = scheduler.Dice;
        if (_cut.Contains((from, to)) || (Has(Faults.Losses) && dice.PerMille(15)))
        {
            scheduler.Trace.Add(scheduler.Now, "lost", from);
            return;
        }

        Deliver(Latency(dice));
        if (!once && Has(Faults.Duplicates) && dice.PerMille(20))
            Deliver(dice.Skewed(TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(10)));

        void Deliver(TimeSpan delay) => scheduler.After(delay, () => receiver()?.Run(receive));
    }

    private TimeSpan Latency(Dice dice) => Has(Faults.Delays) && dice.PerMille(80)
        ? dice.Skewed(TimeSpan.FromMilliseconds(5), TimeSpan.FromSeconds(6))
        : dice.Between(TimeSpan.FromMicroseconds(100), TimeSpan.FromMilliseconds(2));

    private bool Has(Faults fault) => Faults.HasFlag(fault);
}
