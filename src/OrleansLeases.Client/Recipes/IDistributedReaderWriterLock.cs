namespace OrleansLeases.Client.Recipes;

/// <summary>Many readers or one writer, between processes and between the tasks of one. Thread-safe.</summary>
/// <remarks>
/// <see cref="DistributedReaderWriterLock"/> is one, and says what is guaranteed and what is not. Code that takes this interface
/// can be given another one in its unit tests.
/// </remarks>
public interface IDistributedReaderWriterLock
{
    /// <summary>Acquires as a reader, once no writer holds or waits before it.</summary>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease. Dispose it when done.</returns>
    /// <exception cref="LeaseRefusedException">The request is malformed, not allowed, or beyond a bound of the service.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<LeaseHandle> AcquireReadAsync(CancellationToken cancellationToken = default);

    /// <summary>Acquires as the writer, once no other holds or waits before it.</summary>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease. Dispose it when done.</returns>
    /// <exception cref="LeaseRefusedException">The request is malformed, not allowed, or beyond a bound of the service.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<LeaseHandle> AcquireWriteAsync(CancellationToken cancellationToken = default);

    /// <summary>Acquires as a reader, if it is admitted in time.</summary>
    /// <param name="wait">How long to wait in the queue; 0 by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease, or null. Dispose it when done.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative and not infinite.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<LeaseHandle?> TryAcquireReadAsync(TimeSpan wait = default, CancellationToken cancellationToken = default);

    /// <summary>
    /// Acquires as the writer, if it is admitted in time. With a wait of 0 it holds back no reader, and may never be admitted between them.
    /// </summary>
    /// <param name="wait">How long to wait in the queue; 0 by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease, or null. Dispose it when done.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative and not infinite.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    ValueTask<LeaseHandle?> TryAcquireWriteAsync(TimeSpan wait = default, CancellationToken cancellationToken = default);

    /// <summary>Runs work as a reader, as <see cref="IDistributedLock.RunAsync"/> does.</summary>
    /// <param name="work">The work. Its token is cancelled when the lease is lost.</param>
    /// <param name="cancellationToken">Leaves the queue, or cancels the token of the work.</param>
    /// <returns>Completes when the work has ended and the lease was released.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="LeaseLostException">The lease was lost before the work had ended.</exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="AcquireReadAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task ReadAsync(Func<LeaseHandle, CancellationToken, Task> work, CancellationToken cancellationToken = default);

    /// <summary>Runs work as the writer, as <see cref="IDistributedLock.RunAsync"/> does.</summary>
    /// <param name="work">The work. Its token is cancelled when the lease is lost.</param>
    /// <param name="cancellationToken">Leaves the queue, or cancels the token of the work.</param>
    /// <returns>Completes when the work has ended and the lease was released.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="LeaseLostException">The lease was lost before the work had ended.</exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="AcquireWriteAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task WriteAsync(Func<LeaseHandle, CancellationToken, Task> work, CancellationToken cancellationToken = default);
}
