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

    /// <summary>Makes or starts something that would keep the context of whoever makes it.</summary>
    public static T Make<T>(Func<T> make)
    {
        if (ExecutionContext.IsFlowSuppressed()) return make();
        using (ExecutionContext.SuppressFlow()) return make();
    }
}
