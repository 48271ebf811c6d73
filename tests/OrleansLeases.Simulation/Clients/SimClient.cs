using OrleansLeases.Client;
using OrleansLeases.Client.Holding;
using OrleansLeases.Simulation.Checking;
using OrleansLeases.Simulation.Scheduling;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation.Clients;

/// <summary>One client process: the real client with its handles and renewals, over the simulated network.</summary>
internal sealed class SimClient
{
    private readonly Truth _truth;
    private readonly List<Belief> _beliefs = [];
    private readonly List<LeaseHandle> _handles = [];
    private readonly bool _countsSleep;
    private int _requests;
    private TimeSpan _pausedUntil = TimeSpan.MinValue;
    private TimeSpan _putBackAt = TimeSpan.MinValue;

    public SimClient(SimProcess process, ILeaseService service, Truth truth, Dice dice, Planted planted)
    {
        (Process, Service, _truth, Dice) = (process, service, truth, dice);
        // Half of the machines have a clock that counts sleep, as Linux has.
        _countsSleep = dice.OneIn(2);
        var clock = new HolderClock(_countsSleep ? new SleepCounting(process.Clock) : process.Clock, _countsSleep);
        var time = planted.HasFlag(Planted.LateLooks) ? new LateTimers(process.Clock) : (TimeProvider)process.Clock;
        Leases = new LeaseClient(service, new() { Owner = process.Name }, time, clock, dice.Fork());
    }

    public SimProcess Process { get; }

    public ILeaseService Service { get; }

    public LeaseClient Leases { get; }

    public List<Task> Actors { get; } = [];

    public Dice Dice { get; }

    public string Name => Process.Name;

    public string NewRequestId() => $"{Name}-own-{++_requests}";

    public Task PauseAsync(TimeSpan length) => Task.Delay(length, Process.Clock);

    /// <summary>Relies on a lease from now on.</summary>
    /// <param name="handle">The lease.</param>
    /// <param name="asked">When it was asked for, in true time.</param>
    public Belief Hold(LeaseHandle handle, TimeSpan asked)
    {
        // What a collected handle does comes when the collector likes.
        _handles.Add(handle);
        var belief = _truth.Believe(
            handle.Resource, handle.Owner, handle.Token, handle.Mode, () => handle.IsValid(), isExempt: asked <= _pausedUntil);
        _beliefs.RemoveAll(other => other.IsOver);
        _beliefs.Add(belief);
        return belief;
    }

    public void Crash()
    {
        Process.Crash();
        foreach (var belief in _beliefs) belief.IsOver = true;
    }

    /// <summary>Its wall clock is set.</summary>
    public void Step(TimeSpan by, TimeSpan now)
    {
        if (!Process.IsRunning) return;
        if (by < TimeSpan.Zero) _putBackAt = now;
        Process.Clock.StepWall(by);
    }

    /// <summary>Whether its machine may sleep: where its wall clock was just put back, no clock would show that.</summary>
    public bool MaySleep(TimeSpan now) => _countsSleep || _putBackAt == TimeSpan.MinValue || now - _putBackAt > TimeSpan.FromSeconds(1);

    /// <summary>The machine stops with all of its clocks: nothing shows its holders the time that goes by.</summary>
    public void Pause(TimeSpan until)
    {
        _pausedUntil = until;
        foreach (var belief in _beliefs) belief.IsExempt = true;
        Process.Freeze(asleep: false, unnoticed: true);
    }

    // The planted defect: every timer is three seconds late.
    private sealed class LateTimers(SimClock clock) : TimeProvider
    {
        public override long TimestampFrequency => clock.TimestampFrequency;

        public override long GetTimestamp() => clock.GetTimestamp();

        public override DateTimeOffset GetUtcNow() => clock.GetUtcNow();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new Late(clock.CreateTimer(callback, state, Later(dueTime), period));

        private static TimeSpan Later(TimeSpan due) => due < TimeSpan.Zero ? due : due + TimeSpan.FromSeconds(3);

        private sealed class Late(ITimer timer) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(Later(dueTime), period);

            public void Dispose() => timer.Dispose();

            public ValueTask DisposeAsync() => timer.DisposeAsync();
        }
    }

    // A monotonic time that goes on while the machine sleeps.
    private sealed class SleepCounting(SimClock clock) : TimeProvider
    {
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => (clock.Monotonic + clock.Slept).Ticks;
    }
}
