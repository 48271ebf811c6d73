using OrleansLeases.Core;

namespace OrleansLeases.Embedded;

/// <summary>
/// Wakes the keepers of this process from one timer. Whoever has someone waiting is woken at once; the rest, whose
/// leases merely ended, a few at a time and in the background, so that many ends in one second do not crowd out the calls
/// of others.
/// </summary>
internal sealed class AlarmQueue : IKeeperAlarm, IDisposable
{
    private const int MaxRunning = 32;
    private const int TakeAtOnce = 256;

    private readonly Lock _gate = new();
    private readonly PriorityQueue<Keeper, TimeSpan> _queue = new();
    private readonly Queue<Keeper> _background = new();
    private readonly LeaseClock _clock;
    private readonly Action<Keeper> _forget;
    private readonly TaskScheduler _scheduler;
    private readonly ITimer _timer;
    private TimeSpan _armedFor = TimeSpan.MaxValue;
    private int _running;
    private bool _disposed;

    public AlarmQueue(TimeProvider time, LeaseClock clock, TaskScheduler background, Action<Keeper> forget)
    {
        _clock = clock;
        _forget = forget;
        _scheduler = background;
        _timer = Background.Timer(time, static queue => ((AlarmQueue)queue!).OnTimer(), this);
    }

    public void Set(Keeper keeper, TimeSpan at)
    {
        lock (_gate)
        {
            if (_disposed) return;
            _queue.Enqueue(keeper, at);
            if (at < _armedFor) Arm_NeedsLock(at, _clock.Read().Monotonic);
        }
    }

    public void Dispose()
    {
        lock (_gate) _disposed = true;
        _timer.Dispose();
    }

    // A timer counts whole milliseconds: rounded up, so that it never rings before the keeper agrees that it is time.
    private void Arm_NeedsLock(TimeSpan at, TimeSpan now)
    {
        _armedFor = at;
        var wait = Math.Clamp(Math.Ceiling((at - now).TotalMilliseconds), 0, TimeSpan.FromDays(1).TotalMilliseconds);
        _timer.Change(TimeSpan.FromMilliseconds(wait), Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        var due = new List<(Keeper Keeper, TimeSpan At)>();
        while (true)
        {
            due.Clear();
            lock (_gate)
            {
                if (_disposed) return;
                var now = _clock.Read().Monotonic;
                // In portions, since callers that set an alarm wait for this lock.
                while (due.Count < TakeAtOnce && _queue.TryPeek(out var keeper, out var at) && at <= now)
                {
                    _queue.Dequeue();
                    due.Add((keeper, at));
                }

                if (due.Count == 0)
                {
                    _armedFor = TimeSpan.MaxValue;
                    if (_queue.TryPeek(out _, out var next)) Arm_NeedsLock(next, now);
                    return;
                }
            }

            foreach (var (keeper, at) in due)
            {
                if (keeper.OnAlarm(at)) _forget(keeper);
                else if (keeper.SomeoneWaits) _ = keeper.Wake();
                else lock (_gate) _background.Enqueue(keeper);
            }

            _ = Task.Factory.StartNew(RunBackground, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _scheduler);
        }
    }

    private void RunBackground()
    {
        while (true)
        {
            Keeper? next;
            lock (_gate)
            {
                if (_disposed || _running >= MaxRunning || !_background.TryDequeue(out next)) return;
                _running++;
            }

            var turn = next.Wake();
            if (turn.IsCompleted) Finished();
            else _ = turn.ContinueWith(static (_, queue) => ((AlarmQueue)queue!).FinishedAndGoOn(), this, _scheduler);
        }
    }

    private void FinishedAndGoOn()
    {
        Finished();
        RunBackground();
    }

    private void Finished()
    {
        lock (_gate) _running--;
    }
}
