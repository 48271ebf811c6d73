namespace OrleansLeases.Client.Recipes;

/// <summary>A task that one worker at a time does, and that is not done again. Thread-safe.</summary>
/// <remarks>
/// <see cref="TaskClaim"/> is one, and says what is guaranteed and what is not. Code that takes this interface
/// can be given another one in its unit tests.
/// </remarks>
public interface ITaskClaim
{
    /// <summary>Whether the task is marked as done.</summary>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Whether it is.</returns>
    /// <exception cref="LeaseRefusedException">The service did not respond for 30 s, or the name is malformed or not allowed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<bool> IsDoneAsync(CancellationToken cancellationToken = default);

    /// <summary>Does the task, unless it is done, or another worker holds it for longer than the wait.</summary>
    /// <param name="work">
    /// The work. Its token is cancelled when the lease is lost, and when <paramref name="cancellationToken"/> is. The task is done
    /// when it returns.
    /// </param>
    /// <param name="wait">How long to wait for another worker to end; 0 by default, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Leaves the queue, or cancels the token of the work. Completed work is still marked.</param>
    /// <returns>The outcome.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative and not infinite.</exception>
    /// <exception cref="LeaseLostException">
    /// The lease was lost before the mark was acknowledged. <see cref="IsDoneAsync"/> shows whether it was written. What else
    /// the work throws is passed on, and the task is not done.
    /// </exception>
    /// <exception cref="LeaseRefusedException">The service refused, or did not respond; the mark may have been written.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<TaskOutcome> RunAsync(
        Func<LeaseHandle, CancellationToken, Task> work, TimeSpan wait = default, CancellationToken cancellationToken = default);
}
