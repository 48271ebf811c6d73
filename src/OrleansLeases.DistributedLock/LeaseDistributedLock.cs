using Medallion.Threading;
using OrleansLeases.Client;
using OrleansLeases.DistributedLocks.Internal;

namespace OrleansLeases.DistributedLocks;

/// <summary>A lock that is an exclusive lease: one holder at a time, first come, first served. Thread-safe.</summary>
/// <remarks>
/// It is not re-entrant. A holder that has crashed delays the others for its time to live and the service's grace at most.
/// </remarks>
public sealed class LeaseDistributedLock : IDistributedLock
{
    private readonly Acquirer _acquirer;

    internal LeaseDistributedLock(Acquirer acquirer) => _acquirer = acquirer;

    /// <summary>The resource, as the service knows it: the name where it fits, with the provider's prefix.</summary>
    public string Name => _acquirer.Resource;

    /// <summary>
    /// Acquires the lock, if it is free in time. Blocks the calling thread, and needs no other of its synchronization context.
    /// </summary>
    /// <param name="timeout">How long to wait in the queue: 0 by default, at most <see cref="int.MaxValue"/> ms, or infinite.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle, or null. Dispose it to release.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public LeaseDistributedSynchronizationHandle? TryAcquire(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _acquirer.TryAcquire(timeout, cancellationToken);

    /// <summary>Acquires the lock. Blocks the calling thread, and needs no other of its synchronization context.</summary>
    /// <param name="timeout">How long to wait in the queue; without a limit by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle. Dispose it to release.</returns>
    /// <exception cref="TimeoutException">It was held by others for longer.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public LeaseDistributedSynchronizationHandle Acquire(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _acquirer.Acquire(timeout, cancellationToken);

    /// <summary>Acquires the lock, if it is free in time.</summary>
    /// <param name="timeout">How long to wait in the queue: 0 by default, at most <see cref="int.MaxValue"/> ms, or infinite.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle, or null. Dispose it to release.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseDistributedSynchronizationHandle?> TryAcquireAsync(
        TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _acquirer.TryAcquireAsync(timeout, cancellationToken);

    /// <summary>Acquires the lock, first come, first served.</summary>
    /// <param name="timeout">How long to wait in the queue; without a limit by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The handle. Dispose it to release.</returns>
    /// <exception cref="TimeoutException">It was held by others for longer.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="timeout"/> is negative and not infinite, or too long.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseDistributedSynchronizationHandle> AcquireAsync(
        TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _acquirer.AcquireAsync(timeout, cancellationToken);

    IDistributedSynchronizationHandle? IDistributedLock.TryAcquire(TimeSpan timeout, CancellationToken cancellationToken) =>
        TryAcquire(timeout, cancellationToken);

    IDistributedSynchronizationHandle IDistributedLock.Acquire(TimeSpan? timeout, CancellationToken cancellationToken) =>
        Acquire(timeout, cancellationToken);

    ValueTask<IDistributedSynchronizationHandle?> IDistributedLock.TryAcquireAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        Handles.Of(TryAcquireAsync(timeout, cancellationToken));

    ValueTask<IDistributedSynchronizationHandle> IDistributedLock.AcquireAsync(TimeSpan? timeout, CancellationToken cancellationToken) =>
        Handles.OfAcquired(AcquireAsync(timeout, cancellationToken));
}
