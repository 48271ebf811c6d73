namespace OrleansLeases;

/// <summary>
/// Starts work that outlives the call that starts it, without that call's execution context. Otherwise the tenant, the trace and the
/// other <see cref="AsyncLocal{T}"/> values of the first caller would flow into work for all later ones.
/// </summary>
internal static class Background
{
    /// <summary>Runs work on the thread pool.</summary>
    public static Task Run(Func<Task> work) => SuppressFlow(() => Task.Run(work));

    /// <summary>Creates a timer that is not started.</summary>
    public static ITimer Timer(TimeProvider time, TimerCallback callback, object? state) =>
        SuppressFlow(() => time.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));

    /// <summary>Calls a delegate that would otherwise capture the execution context of its caller.</summary>
    public static T SuppressFlow<T>(Func<T> start) => SuppressFlow(static start => start(), start);

    /// <inheritdoc cref="SuppressFlow{T}(Func{T})"/>
    public static T SuppressFlow<TState, T>(Func<TState, T> start, TState state)
    {
        if (ExecutionContext.IsFlowSuppressed()) return start(state);
        using (ExecutionContext.SuppressFlow()) return start(state);
    }

    /// <inheritdoc cref="StartOnDefaultScheduler{TState, TTask}"/>
    public static Task<T> StartOnDefaultScheduler<T>(Func<Task<T>> start) =>
        StartOnDefaultScheduler(static start => start(), start);

    /// <summary>
    /// Starts work on this thread whose continuations run on the thread pool: not on the caller's synchronization context or task
    /// scheduler, which may be blocked.
    /// </summary>
    /// <param name="start">Starts the work.</param>
    /// <param name="state">The argument of <paramref name="start"/>.</param>
    /// <param name="except">Where the current scheduler is this one, the work stays on it.</param>
    public static TTask StartOnDefaultScheduler<TState, TTask>(
        Func<TState, TTask> start, TState state, TaskScheduler? except = null)
        where TTask : Task
    {
        var context = SynchronizationContext.Current;
        if (context is null && (TaskScheduler.Current is var current && (current == TaskScheduler.Default || current == except)))
        {
            return start(state);
        }

        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            // The default scheduler runs it here; only its awaits see another one.
            var started = new Task<TTask>(() => start(state), CancellationToken.None, TaskCreationOptions.DenyChildAttach);
            started.RunSynchronously(TaskScheduler.Default);
            return started.GetAwaiter().GetResult();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }
}
