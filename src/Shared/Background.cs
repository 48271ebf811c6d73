namespace OrleansLeases;

/// <summary>
/// Starts what outlives the call that starts it, without that call's execution context: who happened to come first would
/// otherwise be seen for ever in whatever is done for others, by its tenant, its trace or its request's values.
/// </summary>
internal static class Background
{
    /// <summary>Runs work on the thread pool.</summary>
    public static Task Run(Func<Task> work) => Make(() => Task.Run(work));

    /// <summary>Makes a timer, which does not run yet.</summary>
    public static ITimer Timer(TimeProvider time, TimerCallback callback, object? state) =>
        Make(() => time.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));

    /// <summary>Makes or starts something that would keep its caller's context.</summary>
    public static T Make<T>(Func<T> make) => Make(static make => make(), make);

    /// <inheritdoc cref="Make{T}(Func{T})"/>
    public static T Make<TState, T>(Func<TState, T> make, TState state)
    {
        if (ExecutionContext.IsFlowSuppressed()) return make(state);
        using (ExecutionContext.SuppressFlow()) return make(state);
    }

    /// <inheritdoc cref="Apart{TState, TTask}"/>
    public static Task<T> Apart<T>(Func<Task<T>> start) => Apart(static start => start(), start);

    /// <summary>
    /// Starts work at once, on this thread, that goes on by the thread pool wherever it waits: not by its caller's
    /// synchronization context or task scheduler, which may be blocked, or busy with others.
    /// </summary>
    /// <param name="start">Starts the work.</param>
    /// <param name="state">What it is passed.</param>
    /// <param name="except">Work that is started on this scheduler stays there.</param>
    public static TTask Apart<TState, TTask>(Func<TState, TTask> start, TState state, TaskScheduler? except = null)
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
