namespace OrleansLeases.Client.Holding;

/// <summary>An alarm on the system's clock with a thread of its own: it rings although the thread pool is busy or starved.</summary>
/// <param name="look">Does what is due, and says how long until the next look; <see cref="Timeout.InfiniteTimeSpan"/> until it is woken.</param>
internal sealed class ThreadAlarm(Func<TimeSpan> look) : IAlarm
{
    // While signals wait, whoever runs them is looked after this often.
    private static readonly TimeSpan StuckAfter = TimeSpan.FromMilliseconds(5);

    private readonly Lock _gate = new();
    private readonly AutoResetEvent _woken = new(false);
    private readonly SignalThreads _signals = new();
    private Thread? _thread;
    private volatile bool _disposed;

    public void Wake()
    {
        if (_thread is null) Start();
        _woken.Set();
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

    private void Start()
    {
        lock (_gate)
        {
            if (_thread is not null) return;
            _thread = new Thread(Watch) { Name = "leases: deadlines", IsBackground = true, Priority = ThreadPriority.AboveNormal };
            _thread.Start();
        }
    }

    private void Watch()
    {
        while (true)
        {
            var wait = look();
            var signalling = _signals.HelpIfStuck();
            if (_disposed && !signalling) return;
            if (signalling && (wait < TimeSpan.Zero || wait > StuckAfter)) wait = StuckAfter;

            // Rounded up to what a wait can count, so that it does not end just before anything is due.
            _woken.WaitOne(wait < TimeSpan.Zero ? Timeout.Infinite : (int)Math.Ceiling(wait.TotalMilliseconds));
        }
    }
}
