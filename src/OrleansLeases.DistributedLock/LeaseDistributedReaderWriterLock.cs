using Medallion.Threading;
using OrleansLeases.Client;
using OrleansLeases.DistributedLocks.Internal;

namespace OrleansLeases.DistributedLocks;

/// <summary>Many readers or one writer: shared leases and an exclusive one. Thread-safe.</summary>
/// <remarks>
/// There is one queue, first come, first served: a reader that comes after a waiting writer waits behind it, and neither starves. It is
/// not re-entrant, and a reader cannot become the writer: it would wait for itself.
/// </remarks>
public sealed class LeaseDistributedReaderWriterLock : IDistributedReaderWriterLock
{
    private readonly Acquirer _reading;
    private readonly Acquirer _writing;

    internal LeaseDistributedReaderWriterLock(Acquirer reading, Acquirer writing) => (_reading, _writing) = (reading, writing);

    /// <summary>The resource, as the service knows it: the name where it fits, with the provider's prefix.</summary>
    public string Name => _writing.Resource;

    /// <summary>
    /// Acquires as a reader, if it is free in time. Blocks the calling thread, and needs no other of its synchronization context.
    /// </summary>
    /// <param name="timeout">How long to wait in the queue: 0 by default, at most <see cref="int.MaxValue"/> ms, or infinite.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle, or null. Dispose it to release.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public LeaseDistributedSynchronizationHandle? TryAcquireReadLock(
        TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _reading.TryAcquire(timeout, cancellationToken);

    /// <summary>Acquires as a reader. Blocks the calling thread, and needs no other of its synchronization context.</summary>
    /// <param name="timeout">How long to wait in the queue; without a limit by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle. Dispose it to release.</returns>
    /// <exception cref="TimeoutException">It was held by others for longer.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public LeaseDistributedSynchronizationHandle AcquireReadLock(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _reading.Acquire(timeout, cancellationToken);

    /// <summary>Acquires as a reader, if it is free in time.</summary>
    /// <param name="timeout">How long to wait in the queue: 0 by default, at most <see cref="int.MaxValue"/> ms, or infinite.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle, or null. Dispose it to release.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseDistributedSynchronizationHandle?> TryAcquireReadLockAsync(
        TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _reading.TryAcquireAsync(timeout, cancellationToken);

    /// <summary>Acquires as a reader, first come, first served.</summary>
    /// <param name="timeout">How long to wait in the queue; without a limit by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle. Dispose it to release.</returns>
    /// <exception cref="TimeoutException">It was held by others for longer.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseDistributedSynchronizationHandle> AcquireReadLockAsync(
        TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _reading.AcquireAsync(timeout, cancellationToken);

    /// <summary>
    /// Acquires as the writer, if it is free in time. Blocks the calling thread, and needs no other of its synchronization context.
    /// </summary>
    /// <param name="timeout">How long to wait in the queue: 0 by default, at most <see cref="int.MaxValue"/> ms, or infinite.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle, or null. Dispose it to release.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public LeaseDistributedSynchronizationHandle? TryAcquireWriteLock(
        TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _writing.TryAcquire(timeout, cancellationToken);

    /// <summary>Acquires as the writer. Blocks the calling thread, and needs no other of its synchronization context.</summary>
    /// <param name="timeout">How long to wait in the queue; without a limit by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle. Dispose it to release.</returns>
    /// <exception cref="TimeoutException">It was held by others for longer.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public LeaseDistributedSynchronizationHandle AcquireWriteLock(
        TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _writing.Acquire(timeout, cancellationToken);

    /// <summary>Acquires as the writer, if it is free in time.</summary>
    /// <param name="timeout">How long to wait in the queue: 0 by default, at most <see cref="int.MaxValue"/> ms, or infinite.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle, or null. Dispose it to release.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseDistributedSynchronizationHandle?> TryAcquireWriteLockAsync(
        TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _writing.TryAcquireAsync(timeout, cancellationToken);

    /// <summary>Acquires as the writer, first come, first served.</summary>
    /// <param name="timeout">How long to wait in the queue; without a limit by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle. Dispose it to release.</returns>
    /// <exception cref="TimeoutException">It was held by others for longer.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseDistributedSynchronizationHandle> AcquireWriteLockAsync(
        TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _writing.AcquireAsync(timeout, cancellationToken);

    IDistributedSynchronizationHandle? IDistributedReaderWriterLock.TryAcquireReadLock(
        TimeSpan timeout, CancellationToken cancellationToken) =>
        TryAcquireReadLock(timeout, cancellationToken);

    IDistributedSynchronizationHandle IDistributedReaderWriterLock.AcquireReadLock(
        TimeSpan? timeout, CancellationToken cancellationToken) =>
        AcquireReadLock(timeout, cancellationToken);

    ValueTask<IDistributedSynchronizationHandle?> IDistributedReaderWriterLock.TryAcquireReadLockAsync(
        TimeSpan timeout, CancellationToken cancellationToken) =>
        Handles.Of(TryAcquireReadLockAsync(timeout, cancellationToken));

    ValueTask<IDistributedSynchronizationHandle> IDistributedReaderWriterLock.AcquireReadLockAsync(
        TimeSpan? timeout, CancellationToken cancellationToken) =>
        Handles.OfAcquired(AcquireReadLockAsync(timeout, cancellationToken));

    IDistributedSynchronizationHandle? IDistributedReaderWriterLock.TryAcquireWriteLock(
        TimeSpan timeout, CancellationToken cancellationToken) =>
        TryAcquireWriteLock(timeout, cancellationToken);

    IDistributedSynchronizationHandle IDistributedReaderWriterLock.AcquireWriteLock(
        TimeSpan? timeout, CancellationToken cancellationToken) =>
        AcquireWriteLock(timeout, cancellationToken);

    ValueTask<IDistributedSynchronizationHandle?> IDistributedReaderWriterLock.TryAcquireWriteLockAsync(
        TimeSpan timeout, CancellationToken cancellationToken) =>
        Handles.Of(TryAcquireWriteLockAsync(timeout, cancellationToken));

    ValueTask<IDistributedSynchronizationHandle> IDistributedReaderWriterLock.AcquireWriteLockAsync(
        TimeSpan? timeout, CancellationToken cancellationToken) =>
        Handles.OfAcquired(AcquireWriteLockAsync(timeout, cancellationToken));
}
