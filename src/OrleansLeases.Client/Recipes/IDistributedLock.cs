namespace OrleansLeases.Client.Recipes;

/// <summary>A lock between processes, and between the tasks of one. Thread-safe.</summary>
/// <remarks>
/// <see cref="DistributedLock"/> is one, and says what is guaranteed and what is not. Code that takes this interface
/// can be given another one in its unit tests.
/// </remarks>
public interface IDistributedLock
{
    /// <summary>Acquires the lock, and waits in the queue without a limit.</summary>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease. Dispose it to release the lock.</returns>
    /// <exception cref="LeaseRefusedException">The request is malformed, not allowed, or beyond a bound of the service.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<LeaseHandle> AcquireAsync(CancellationToken cancellationToken = default);

    /// <summary>Acquires the lock, unless another holder has it.</summary>
    /// <param name="wait">How long to wait in the queue; 0 by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease, or null. Dispose it to release the lock.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative and not infinite.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<LeaseHandle?> TryAcquireAsync(TimeSpan wait = default, CancellationToken cancellationToken = default);

    /// <summary>Runs work under the lock, and releases it once the work has ended.</summary>
    /// <param name="work">
    /// The work. Its token is cancelled when the lease is lost, and when <paramref name="cancellationToken"/> is; it is
    /// awaited nevertheless.
    /// </param>
    /// <param name="cancellationToken">Leaves the queue, or cancels the token of the work.</param>
    /// <returns>Completes when the work has ended and the lock was released.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="LeaseLostException">
    /// The lease was lost before the work had ended. Other exceptions of the work are passed on.
    /// </exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="AcquireAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task RunAsync(Func<LeaseHandle, CancellationToken, Task> work, CancellationToken cancellationToken = default);

    /// <summary>Runs work that has a result, as <see cref="RunAsync"/> does.</summary>
    /// <typeparam name="T">The result.</typeparam>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Leaves the queue, or cancels the token of the work.</param>
    /// <returns>What the work returned.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="LeaseLostException">The lease was lost before the work had ended.</exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="AcquireAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task<T> RunAsync<T>(Func<LeaseHandle, CancellationToken, Task<T>> work, CancellationToken cancellationToken = default);
}
