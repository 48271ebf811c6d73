namespace OrleansLeases.Core;

/// <summary>
/// Shows what a keeper has stored to the watches of its record. The record remembers its last changes, so nothing is buffered
/// for a watch: one that comes late finds the changes there, or finds that they are gone. Publishing takes the same time
/// however many watch. Thread-safe.
/// </summary>
/// <param name="record">The record.</param>
/// <param name="begins">Is told when somebody begins to read, and nobody did before.</param>
internal sealed class RecordBroadcaster(IHistory record, Action? begins = null)
{
    private volatile IHistory _newest = record;
    private volatile bool _ended;
    private TaskCompletionSource? _next;
    private int _readers;

    /// <summary>Whether anybody reads; their record stays in memory.</summary>
    public bool IsRead => Volatile.Read(ref _readers) > 0;

    public void Enter()
    {
        if (Interlocked.Increment(ref _readers) == 1) begins?.Invoke();
    }

    public void Leave() => Interlocked.Decrement(ref _readers);

    /// <summary>Shows what the keeper has stored.</summary>
    public void Publish(IHistory newest)
    {
        _newest = newest;
        WakeAll();
    }

    /// <summary>Nothing more comes from here: another keeper may know more.</summary>
    public void End()
    {
        _ended = true;
        WakeAll();
    }

    /// <summary>Waits until there is more than a change that is known.</summary>
    /// <returns>The record; null where nothing more comes from here.</returns>
    public async ValueTask<IHistory?> AfterAsync(long sequence, CancellationToken cancellationToken)
    {
        while (true)
        {
            // Asked for before looking: what is shown after the look completes it.
            var next = NextShown();
            if (_ended) return null;
            var newest = _newest;
            if (newest.Last > sequence) return newest;
            await next.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    private Task NextShown()
    {
        if (Volatile.Read(ref _next) is { } known) return known.Task;
        var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _next, next, null) ?? next).Task;
    }

    // On another thread: the keeper does not wait until a thousand watchers are woken.
    private void WakeAll()
    {
        if (Interlocked.Exchange(ref _next, null) is { } waiting)
            ThreadPool.UnsafeQueueUserWorkItem(static next => next.SetResult(), waiting, preferLocal: false);
    }
}
