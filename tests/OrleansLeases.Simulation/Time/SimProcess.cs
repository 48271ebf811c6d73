using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Time;

/// <summary>
/// One process on a machine of its own. All that reaches it comes through <see cref="Run"/>: while it is frozen that waits, and
/// once it has crashed it comes to nothing, as does whatever its code was waiting for.
/// </summary>
internal sealed class SimProcess
{
    private readonly Scheduler _scheduler;
    private readonly List<Action> _inbox = [];

    public SimProcess(Scheduler scheduler, string name, TimeSpan uptime, TimeSpan wallAhead)
    {
        (_scheduler, Name) = (scheduler, name);
        Clock = new SimClock(scheduler, Run, uptime, wallAhead);
    }

    public string Name { get; }

    public SimClock Clock { get; }

    public bool HasCrashed { get; private set; }

    public bool IsFrozen { get; private set; }

    /// <summary>When it last went on after it had been stopped.</summary>
    public TimeSpan ThawedAt { get; private set; }

    /// <summary>Nothing of what it asks the store arrives there, or comes back.</summary>
    public bool IsCutFromStore { get; set; }

    /// <summary>Others take it for dead.</summary>
    public bool IsTakenForDead { get; set; }

    public bool IsRunning => !HasCrashed && !IsFrozen;

    /// <summary>Runs code of this process, now or once it thaws.</summary>
    public void Run(Action code)
    {
        if (HasCrashed) return;
        if (IsFrozen) _inbox.Add(code);
        else code();
    }

    public void Crash()
    {
        HasCrashed = true;
        Clock.Stop();
        _inbox.Clear();
        _scheduler.Trace.Add(_scheduler.Now, "crash", Name);
    }

    /// <summary>Stops the process, or with its machine.</summary>
    /// <param name="asleep">Its monotonic clock stands still as well.</param>
    /// <param name="unnoticed">All of its clocks stand still: nothing shows the time that it missed.</param>
    public void Freeze(bool asleep, bool unnoticed = false)
    {
        if (!IsRunning) return;
        IsFrozen = true;
        if (asleep || unnoticed) Clock.Sleep(unnoticed);
        _scheduler.Trace.Add(_scheduler.Now, asleep ? "sleep" : unnoticed ? "pause" : "freeze", Name);
    }

    public void Thaw()
    {
        if (HasCrashed || !IsFrozen) return;
        _scheduler.Trace.Add(_scheduler.Now, "thaw", Name);
        (IsFrozen, ThawedAt) = (false, _scheduler.Now);
        if (Clock.IsAsleep) Clock.Wake();
        // One after the other, with all that each causes in between.
        foreach (var code in _inbox) _scheduler.At(_scheduler.Now, () => Run(code));
        _inbox.Clear();
    }
}
