namespace OrleansLeases.Client.Holding;

/// <summary>An alarm on the system's clock with a thread of its own: it rings although the thread pool is busy or starved.</summary>
/// <param name="look">
/// Does what is due, and says how long until the next look; <see cref="Timeout.InfiniteTimeSpan"/> until it is woken.
/// </param>
internal sealed class ThreadAlarm(Func<TimeSpan> look) : IAlarm
{
    // While signals wait, this thread checks this often that those which run them are not stuck.
    private static readonly TimeSpan StuckAfter = TimeSpan.FromMilliseconds(5);

    // A client that nobody uses any more, nor disposes of, keeps no thread.
    private static readonly TimeSpan LongestIdle = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly AutoResetEvent _woken = new(false);
    private readonly CallbackThreads _signals = new();
    private Thread? _thread;
    private volatile bool _disposed;

    public void Wake()
    {
        lock (_gate)
        {
            _woken.Set();
            if (_thread is not null) return;
            _thread = new Thread(Watch) { Name = "leases: deadlines", IsBackground = true, Priority = ThreadPriority.AboveNormal };
            _thread.UnsafeStart();
        }
    }

    public void Run(Action signal)
    {
        _signals.Run(signal);
        Wake();
    }

    public void Dispose()
    {
        _disposed = true;
        _woken.Set();
    }

    private void Watch()
    {
        while (true)
        {
            var wait = look();
            var signalling = _signals.HelpIfStuck();
            if (_disposed && !signalling) return;
            var idle = wait < TimeSpan.Zero && !signalling;
            if (signalling && (wait < TimeSpan.Zero || wait > StuckAfter)) wait = StuckAfter;

            // Rounded up to what a wait can count, so that it does not end just before anything is due.
            if (!_woken.WaitOne((int)Math.Ceiling((idle ? LongestIdle : wait).TotalMilliseconds)) && idle && TryEnd()) return;
        }
    }

    private bool TryEnd()
    {
        lock (_gate)
        {
            if (_woken.WaitOne(0)) return false;
            _thread = null;
            return true;
        }
    }
}
