namespace OrleansLeases;

/// <summary>
/// Where a call came from: its synchronization context, or else its task scheduler, such as a grain's. Code of the caller's
/// runs there, as after a plain <c>await</c>; the library itself goes on elsewhere, and so waits for no context that is
/// blocked. Thread-safe.
/// </summary>
internal sealed class CallerContext
{
    private readonly SynchronizationContext? _context;
    private readonly TaskScheduler _scheduler;

    private CallerContext(SynchronizationContext? context, TaskScheduler scheduler) => (_context, _scheduler) = (context, scheduler);

    private bool IsHere => _context is null ? TaskScheduler.Current == _scheduler : SynchronizationContext.Current == _context;

    /// <summary>Has work run in the context of this method's caller, whichever thread starts it.</summary>
    /// <param name="work">The work. Cancelled by its token before its context has taken it up, it is not started any more.</param>
    public static Func<T, CancellationToken, Task<TResult>> Bind<T, TResult>(Func<T, CancellationToken, Task<TResult>> work) =>
        Capture() is { } caller ? (given, stop) => caller.RunAsync(() => work(given, stop), stop) : work;

    /// <inheritdoc cref="Bind{T, TResult}"/>
    public static Func<T, CancellationToken, Task> Bind<T>(Func<T, CancellationToken, Task> work) =>
        Capture() is { } caller ? (given, stop) => caller.RunAsync(() => WithResult(work(given, stop)), stop) : work;

    /// <inheritdoc cref="Bind{T, TResult}"/>
    public static Func<CancellationToken, Task<TResult>> Bind<TResult>(Func<CancellationToken, Task<TResult>> work) =>
        Capture() is { } caller ? stop => caller.RunAsync(() => work(stop), stop) : work;

    private static CallerContext? Capture()
    {
        // What an await captures.
        var context = SynchronizationContext.Current is { } current && current.GetType() != typeof(SynchronizationContext) ? current : null;
        return context is null && TaskScheduler.Current == TaskScheduler.Default ? null : new(context, TaskScheduler.Current);
    }

    private static async Task<bool> WithResult(Task work)
    {
        await work.ConfigureAwait(false);
        return true;
    }

    private async Task<T> RunAsync<T>(Func<Task<T>> work, CancellationToken stop)
    {
        if (IsHere) return await work().ConfigureAwait(false);
        var turn = new Turn<T>(work, stop);
        Post(turn.Take);
        using (stop.UnsafeRegister(static turn => ((Turn<T>)turn!).GiveUp(), turn)) await turn.Taken.ConfigureAwait(false);
        return await turn.Taken.Result.ConfigureAwait(false);
    }

    private void Post(Action action)
    {
        if (_context is not null) _context.Post(static action => ((Action)action!)(), action);
        else _ = Task.Factory.StartNew(action, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _scheduler);
    }

    /// <summary>Work that waits for its context, which takes it up once, or never.</summary>
    private sealed class Turn<T>(Func<Task<T>> work, CancellationToken stop)
    {
        private readonly ExecutionContext? _flow = ExecutionContext.Capture();
        private readonly TaskCompletionSource<Task<T>> _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _settled;

        public Task<Task<T>> Taken => _taken.Task;

        public void Take()
        {
            if (Interlocked.Exchange(ref _settled, 1) != 0) return;
            if (_flow is null) Start();
            else ExecutionContext.Run(_flow, static turn => ((Turn<T>)turn!).Start(), this);
        }

        public void GiveUp()
        {
            if (Interlocked.Exchange(ref _settled, 1) == 0) _taken.SetCanceled(stop);
        }

        private void Start()
        {
            try
            {
                _taken.SetResult(work());
            }
            catch (Exception error)
            {
                _taken.SetException(error);
            }
        }
    }
}
