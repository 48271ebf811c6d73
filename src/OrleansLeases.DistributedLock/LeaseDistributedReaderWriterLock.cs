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
    /// <inheritdoc cref="LeaseDistributedLock.TryAcquire" path="/*[not(self::summary)]"/>
    public LeaseDistributedSynchronizationHandle? TryAcquireReadLock(
        TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _reading.TryAcquire(timeout, cancellationToken);

    /// <summary>Acquires as a reader. Blocks the calling thread, and needs no other of its synchronization context.</summary>
    /// <inheritdoc cref="LeaseDistributedLock.Acquire" path="/*[not(self::summary)]"/>
    public LeaseDistributedSynchronizationHandle AcquireReadLock(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _reading.Acquire(timeout, cancellationToken);

    /// <summary>Acquires as a reader, if it is free in time.</summary>
    /// <inheritdoc cref="LeaseDistributedLock.TryAcquireAsync" path="/*[not(self::summary)]"/>
    public ValueTask<LeaseDistributedSynchronizationHandle?> TryAcquireReadLockAsync(
        TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _reading.TryAcquireAsync(timeout, cancellationToken);

    /// <summary>Acquires as a reader, first come, first served.</summary>
    /// <inheritdoc cref="LeaseDistributedLock.AcquireAsync" path="/*[not(self::summary)]"/>
    public ValueTask<LeaseDistributedSynchronizationHandle> AcquireReadLockAsync(
        TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _reading.AcquireAsync(timeout, cancellationToken);

    /// <summary>
    /// Acquires as the writer, if it is free in time. Blocks the calling thread, and needs no other of its synchronization context.
    /// </summary>
    /// <inheritdoc cref="LeaseDistributedLock.TryAcquire" path="/*[not(self::summary)]"/>
    public LeaseDistributedSynchronizationHandle? TryAcquireWriteLock(
        TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _writing.TryAcquire(timeout, cancellationToken);

    /// <summary>Acquires as the writer. Blocks the calling thread, and needs no other of its synchronization context.</summary>
    /// <inheritdoc cref="LeaseDistributedLock.Acquire" path="/*[not(self::summary)]"/>
    public LeaseDistributedSynchronizationHandle AcquireWriteLock(
        TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _writing.Acquire(timeout, cancellationToken);

    /// <summary>Acquires as the writer, if it is free in time.</summary>
    /// <inheritdoc cref="LeaseDistributedLock.TryAcquireAsync" path="/*[not(self::summary)]"/>
    public ValueTask<LeaseDistributedSynchronizationHandle?> TryAcquireWriteLockAsync(
        TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _writing.TryAcquireAsync(timeout, cancellationToken);

    /// <summary>Acquires as the writer, first come, first served.</summary>
    /// <inheritdoc cref="LeaseDistributedLock.AcquireAsync" path="/*[not(self::summary)]"/>
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
