namespace OrleansLeases.DistributedLocks.Internal;

/// <summary>Waits for asynchronous work on the thread of the caller, which nothing of the work needs.</summary>
internal static class Blocking
{
    /// <summary>
    /// Starts work and waits for it. Its continuations run on the thread pool: the caller's synchronization context or task scheduler
    /// may have no other thread than the one that waits here.
    /// </summary>
    public static T Wait<T>(Func<Task<T>> start) => Background.StartOnDefaultScheduler(start).GetAwaiter().GetResult();
}
