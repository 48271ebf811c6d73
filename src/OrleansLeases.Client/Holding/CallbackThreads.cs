namespace OrleansLeases.Client.Holding;

/// <summary>
/// Runs signals on threads of their own. A signal calls code of the application, which may not return for long; so a thread
/// that takes a signal first sees to it that the signals queued behind it have another thread. Signals that do not return
/// have a thread each in the end; a few threads run all signals that do return. Thread-safe.
/// </summary>
internal sealed class CallbackThreads
{
    private static readonly TimeSpan LongestIdle = TimeSpan.FromSeconds(10);

    private readonly object _gate = new();
    private readonly Queue<Action> _waiting = new();

    // Those that wait for a signal, or are about to.
    private int _free;

    public void Run(Action signal)
    {
        lock (_gate)
        {
            _waiting.Enqueue(signal);
            if (_free > 0) Monitor.Pulse(_gate);
            else Start_NeedsLock();
        }
    }

    /// <summary>Starts a thread where signals wait and there was none to be had for them.</summary>
    /// <returns>Whether signals wait.</returns>
    public bool HelpIfStuck()
    {
        lock (_gate)
        {
            var waits = _waiting.Count > 0;
            if (waits && _free == 0) Start_NeedsLock();
            return waits;
        }
    }

    private void Start_NeedsLock()
    {
        try
        {
            new Thread(Work) { Name = "leases: signals", IsBackground = true }.UnsafeStart();
            _free++;
        }
        catch (Exception error) when (error is OutOfMemoryException or ThreadStartException)
        {
            // The system has no more threads now. Those that return go on, and more are tried for.
        }
    }

    private void Work()
    {
        while (TryTake(out var signal))
        {
            signal();
            lock (_gate) _free++;
        }
    }

    private bool TryTake(out Action signal)
    {
        lock (_gate)
        {
            while (!_waiting.TryDequeue(out signal!))
            {
                if (Monitor.Wait(_gate, LongestIdle) || _waiting.Count > 0) continue;
                _free--;
                return false;
            }

            _free--;
            if (_waiting.Count > 0 && _free == 0) Start_NeedsLock();
            return true;
        }
    }
}
