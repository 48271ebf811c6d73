namespace OrleansLeases.Client.Recipes;

/// <summary>A bound on the concurrent holders of a resource over all processes. Thread-safe.</summary>
/// <remarks>
/// <see cref="DistributedSemaphore"/> is one, and says what is guaranteed and what is not. Code that takes this interface
/// can be given another one in its unit tests.
/// </remarks>
public interface IDistributedSemaphore
{
    /// <summary>Acquires a lease, and waits in the queue without a limit.</summary>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease. Dispose it to release it.</returns>
    /// <exception cref="LeaseRefusedException">
    /// Another capacity is in force, which lasts while anyone holds or waits (<see cref="Refusal.Conflict"/>); or the request is
    /// malformed, not allowed, or beyond a bound of the service.
    /// </exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<LeaseHandle> AcquireAsync(CancellationToken cancellationToken = default);

    /// <summary>Acquires a lease, if it is admitted in time.</summary>
    /// <param name="wait">How long to wait in the queue; 0 by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease, or null. Dispose it to release it.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative and not infinite.</exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="AcquireAsync"/>, and where the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<LeaseHandle?> TryAcquireAsync(TimeSpan wait = default, CancellationToken cancellationToken = default);

    /// <summary>Runs work under a lease, as <see cref="IDistributedLock.RunAsync"/> does.</summary>
    /// <param name="work">The work. Its token is cancelled when the lease is lost.</param>
    /// <param name="cancellationToken">Leaves the queue, or cancels the token of the work.</param>
    /// <returns>Completes when the work has ended and the lease was released.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="LeaseLostException">The lease was lost before the work had ended.</exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="AcquireAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task RunAsync(Func<LeaseHandle, CancellationToken, Task> work, CancellationToken cancellationToken = default);
}
