using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Time;

/// <summary>
/// The clock of one process and its machine. Its monotonic time runs at a rate of its own, and stands still while the machine sleeps;
/// its wall clock can be stepped. Its timers are events of the simulation.
/// </summary>
internal sealed class SimClock : TimeProvider
{
    /// <summary>Where wall clocks start, but for what they are off.</summary>
    public static readonly DateTimeOffset Start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    // How far the rate takes a clock from true time before it runs the other way, as one does that a time server steers.
    private static readonly TimeSpan LargestDrift = TimeSpan.FromMilliseconds(200);

    private readonly Scheduler _scheduler;
    private readonly Action<Action> _run;
    private readonly HashSet<SimTimer> _armed = [];
    private TimeSpan _since;
    private TimeSpan _monotonicThen;
    private TimeSpan _wallAhead;
    private TimeSpan _slept;
    private bool _isPaused;
    private bool _hasStopped;
    private long _partsPerMillion;
    private long _turn;

    /// <param name="scheduler">True time.</param>
    /// <param name="run">Runs the code of a timer as soon as its process can.</param>
    /// <param name="uptime">What the monotonic clock shows at first.</param>
    /// <param name="wallAhead">How far the wall clock is ahead of true time.</param>
    public SimClock(Scheduler scheduler, Action<Action> run, TimeSpan uptime, TimeSpan wallAhead)
    {
        (_scheduler, _run, _since, _monotonicThen) = (scheduler, run, scheduler.Now, uptime);
        _wallAhead = scheduler.Now + wallAhead - uptime;
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public bool IsAsleep { get; private set; }

    public TimeSpan Monotonic
    {
        get
        {
            var passed = _scheduler.Now - _since;
            return IsAsleep ? _monotonicThen : _monotonicThen + passed + new TimeSpan(passed.Ticks / 1_000 * _partsPerMillion / 1_000);
        }
    }

    /// <summary>How far the wall clock is ahead of true time.</summary>
    public TimeSpan WallAhead => GetUtcNow() - Start - _scheduler.Now;

    public override long GetTimestamp() => Monotonic.Ticks;

    /// <summary>How long the machine has slept in all; not how long it was paused without noticing.</summary>
    public TimeSpan Slept => _slept + (IsAsleep && !_isPaused ? _scheduler.Now - _since : TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Start + Monotonic + Slept + _wallAhead;

    /// <summary>Its process has crashed: no timer of it is armed any more.</summary>
    public void Stop() => _hasStopped = true;

    /// <summary>Steps the wall clock.</summary>
    public void StepWall(TimeSpan by) => _wallAhead += by;

    /// <summary>From now on it gains so much, and loses as much in turn.</summary>
    public void RunAt(int partsPerMillion)
    {
        Anchor();
        _partsPerMillion = partsPerMillion;
        Rearm();
        var turn = ++_turn;
        if (partsPerMillion != 0) _scheduler.After(LargestDrift * (1_000_000.0 / Math.Abs(partsPerMillion)), () => TurnRound(turn));
    }

    /// <summary>The machine sleeps, and its wall clock goes on.</summary>
    /// <param name="unnoticed">Both of its clocks stand still, as those of a paused virtual machine do.</param>
    public void Sleep(bool unnoticed)
    {
        Anchor();
        (IsAsleep, _isPaused) = (true, unnoticed);
    }

    /// <summary>The machine wakes.</summary>
    public void Wake()
    {
        _slept = Slept;
        (IsAsleep, _since) = (false, _scheduler.Now);
        Rearm();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new SimTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private void TurnRound(long turn)
    {
        if (turn != _turn) return;
        if (IsAsleep) _scheduler.After(LargestDrift, () => TurnRound(turn));
        else RunAt((int)-_partsPerMillion);
    }

    private void Anchor()
    {
        (_monotonicThen, _since) = (Monotonic, _scheduler.Now);
    }

    private void Rearm()
    {
        foreach (var timer in _armed.ToArray()) timer.Schedule();
    }

    // When it will be that late by this clock, in true time; not a tick too soon.
    private TimeSpan TrueTimeOf(TimeSpan monotonic)
    {
        var left = (monotonic - Monotonic).Ticks;
        if (left <= 0) return _scheduler.Now;
        return _scheduler.Now + new TimeSpan((long)((Int128)left * 1_000_000 / (1_000_000 + _partsPerMillion)) + 2_000);
    }

    private sealed class SimTimer(SimClock clock, TimerCallback callback, object? state) : ITimer
    {
        private TimeSpan _due;
        private TimeSpan _period;
        private long _armed;
        private bool _disposed;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (_disposed || clock._hasStopped) return false;
            _armed++;
            _period = period;
            clock._armed.Remove(this);
            if (dueTime < TimeSpan.Zero) return true;
            _due = clock.Monotonic + dueTime;
            clock._armed.Add(this);
            Schedule();
            return true;
        }

        public void Schedule()
        {
            if (clock.IsAsleep) return;
            var armed = ++_armed;
            clock._scheduler.At(clock.TrueTimeOf(_due), () => Ring(armed));
        }

        public void Dispose()
        {
            _disposed = true;
            _armed++;
            clock._armed.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }

        private void Ring(long armed)
        {
            if (armed != _armed || clock.IsAsleep) return;
            clock._armed.Remove(this);
            clock._run(() =>
            {
                if (armed != _armed) return;
                _armed++;
                if (_period > TimeSpan.Zero) Change(_period, _period);
                callback(state);
            });
        }
    }
}
