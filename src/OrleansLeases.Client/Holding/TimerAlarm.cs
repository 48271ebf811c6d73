namespace OrleansLeases.Client.Holding;

/// <summary>An alarm on a clock that someone else moves, as tests do: by that clock's timers, on whatever thread they go off.</summary>
internal sealed class TimerAlarm : IAlarm
{
    private readonly Lock _gate = new();
    private readonly Func<TimeSpan> _look;
    private readonly ITimer _timer;
    private bool _woken;

    /// <param name="time">The clock.</param>
    /// <param name="look">As for <see cref="ThreadAlarm"/>.</param>
    public TimerAlarm(TimeProvider time, Func<TimeSpan> look)
    {
        _look = look;
        _timer = Background.Timer(time, static alarm => ((TimerAlarm)alarm!).OnTimer(), this);
    }

    public void Wake()
    {
        lock (_gate)
        {
            _woken = true;
            _timer.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    public void Run(Action signal) => signal();

    public void Dispose() => _timer.Dispose();

    private void OnTimer()
    {
        lock (_gate) _woken = false;
        var wait = _look();
        lock (_gate)
        {
            if (!_woken) _timer.Change(wait, Timeout.InfiniteTimeSpan);
        }
    }
}
