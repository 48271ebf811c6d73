namespace OrleansLeases.Testing;

/// <summary>
/// A clock that stands still until a test moves it. Monotonic and wall time are steered apart, since suspend and
/// clock steps make them differ; timers follow monotonic time. Ticks are exact. Thread-safe.
/// </summary>
public sealed class ManualTimeProvider : TimeProvider
{
    /// <summary>Where the wall clock starts unless told otherwise.</summary>
    public static readonly DateTimeOffset DefaultStart = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private long _mono;
    private DateTimeOffset _wall;

    // How long other threads may take in real time.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(2);

    /// <summary>Starts a clock.</summary>
    /// <param name="start">The first wall time; <see cref="DefaultStart"/> where left out.</param>
    public ManualTimeProvider(DateTimeOffset? start = null) => _wall = start ?? DefaultStart;

    /// <inheritdoc/>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <inheritdoc/>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>Monotonic time since the clock was made.</summary>
    public TimeSpan Elapsed => new(GetTimestamp());

    /// <summary>How long until the next timer is due; null where none is armed.</summary>
    public TimeSpan? NextTimerIn
    {
        get
        {
            lock (_gate) return FirstDue_NeedsLock() is { } timer ? new TimeSpan(timer.DueAt - _mono) : null;
        }
    }

    /// <inheritdoc/>
    public override long GetTimestamp()
    {
        lock (_gate) return _mono;
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate) return _wall;
    }

    /// <summary>
    /// Moves monotonic and wall time on together. Timers on the way go off one by one in the order they are due,
    /// each at its own moment, on this thread.
    /// </summary>
    /// <param name="by">Not negative. Zero fires what is due now.</param>
    public void Advance(TimeSpan by) => Advance(by, by);

    /// <summary>
    /// Moves the clock step by step until something has happened that several timers lead to, and other threads bring about.
    /// </summary>
    /// <param name="hasHappened">Whether it has.</param>
    /// <param name="step">By how much the clock moves between two looks.</param>
    /// <exception cref="TimeoutException">It has not happened within a minute of real time.</exception>
    public async Task AdvanceUntilAsync(Func<Task<bool>> hasHappened, TimeSpan step)
    {
        ArgumentNullException.ThrowIfNull(hasHappened);
        var started = System.GetTimestamp();
        while (!await hasHappened())
        {
            if (System.GetElapsedTime(started) > Patience) throw new TimeoutException("What was waited for did not happen.");
            Advance(step);
            await Task.Delay(Look, System);
        }
    }

    /// <inheritdoc cref="AdvanceUntilAsync(Func{Task{bool}}, TimeSpan)"/>
    public Task AdvanceUntilAsync(Func<bool> hasHappened, TimeSpan step) =>
        AdvanceUntilAsync(() => Task.FromResult(hasHappened()), step);

    /// <summary>Moves both on, the wall clock at a rate of its own; timers go off as for <see cref="Advance(TimeSpan)"/>.</summary>
    /// <param name="monotonic">Not negative.</param>
    /// <param name="wall">By how much the wall clock moves in the meantime; it may stand still or go back.</param>
    public void Advance(TimeSpan monotonic, TimeSpan wall)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(monotonic, TimeSpan.Zero);
        DateTimeOffset wallAtEnd;
        long end;
        lock (_gate)
        {
            end = _mono + monotonic.Ticks;
            wallAtEnd = _wall + wall;
        }

        while (true)
        {
            ManualTimer? due;
            lock (_gate)
            {
                due = FirstDue_NeedsLock();
                if (due is null || due.DueAt > end)
                {
                    _mono = end;
                    _wall = wallAtEnd;
                    return;
                }

                if (due.DueAt > _mono)
                {
                    // Where the wall moves at another rate, it moves on in proportion.
                    var left = end - _mono;
                    _wall += new TimeSpan((long)((wallAtEnd - _wall).Ticks * (Int128)(due.DueAt - _mono) / left));
                    _mono = due.DueAt;
                }

                due.Rearm_NeedsLock();
            }

            due.Fire();
        }
    }

    /// <summary>Steps the wall clock, as an operator or a time server does. Monotonic time and timers do not notice.</summary>
    /// <param name="by">Forward, or back where negative.</param>
    public void StepWall(TimeSpan by)
    {
        lock (_gate) _wall += by;
    }

    /// <summary>The machine sleeps: wall time runs, monotonic time and timers stand still.</summary>
    /// <param name="length">Not negative.</param>
    public void Suspend(TimeSpan length)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, TimeSpan.Zero);
        StepWall(length);
    }

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private ManualTimer? FirstDue_NeedsLock()
    {
        ManualTimer? first = null;
        foreach (var timer in _timers)
        {
            if (first is null || timer.DueAt < first.DueAt) first = timer;
        }

        return first;
    }

    private sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
    {
        private long? _period;
        private bool _disposed;

        public long DueAt { get; private set; }

        public void Fire() => callback(state);

        public void Rearm_NeedsLock()
        {
            if (_period is not { } period)
            {
                clock._timers.Remove(this);
                return;
            }

            // To the end of the list, so that timers due at one moment take turns.
            clock._timers.Remove(this);
            clock._timers.Add(this);
            DueAt += period;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (clock._gate)
            {
                if (_disposed) return false;
                clock._timers.Remove(this);
                _period = period > TimeSpan.Zero ? period.Ticks : null;
                if (dueTime < TimeSpan.Zero) return true;
                DueAt = clock._mono + dueTime.Ticks;
                clock._timers.Add(this);
                return true;
            }
        }

        public void Dispose()
        {
            lock (clock._gate)
            {
                _disposed = true;
                clock._timers.Remove(this);
            }
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
