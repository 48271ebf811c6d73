namespace OrleansLeases.Client.Holding;

/// <summary>
/// Runs signals one after the other on a thread of their own. A signal calls code of the application, which may not
/// return for long; then the ones behind it get another thread. Thread-safe.
/// </summary>
internal sealed class SignalThreads
{
    private static readonly TimeSpan LongestIdle = TimeSpan.FromSeconds(10);

    private readonly object _gate = new();
    private readonly Queue<Action> _waiting = new();
    private int _threads;
    private int _idle;
    private long _taken;
    private long _takenBefore = -1;

    public void Run(Action signal)
    {
        lock (_gate)
        {
            _waiting.Enqueue(signal);
            if (_idle > 0) Monitor.Pulse(_gate);
            else if (_threads == 0) Start_NeedsLock();
        }
    }

    /// <summary>Starts another thread if none has taken a signal since the last look.</summary>
    /// <returns>Whether signals wait.</returns>
    public bool HelpIfStuck()
    {
        lock (_gate)
        {
            var waits = _waiting.Count > 0;
            if (waits && _taken == _takenBefore) Start_NeedsLock();
            _takenBefore = waits ? _taken : -1;
            return waits;
        }
    }

    private void Start_NeedsLock()
    {
        _threads++;
        new Thread(Work) { Name = "leases: signals", IsBackground = true }.Start();
    }

    private void Work()
    {
        while (TryTake(out var signal)) signal();
    }

    private bool TryTake(out Action signal)
    {
        lock (_gate)
        {
            _idle++;
            while (!_waiting.TryDequeue(out signal!))
            {
                if (Monitor.Wait(_gate, LongestIdle) || _waiting.Count > 0) continue;
                _idle--;
                _threads--;
                return false;
            }

            _idle--;
            _taken++;
            return true;
        }
    }
}
