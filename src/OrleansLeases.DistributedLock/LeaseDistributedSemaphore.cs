using Medallion.Threading;
using OrleansLeases.Client;
using OrleansLeases.DistributedLocks.Internal;

namespace OrleansLeases.DistributedLocks;

/// <summary>So many holders at most over all processes: shared leases with a capacity. Thread-safe.</summary>
/// <remarks>
/// All users of a name use one <see cref="MaxCount"/>: while anyone holds or waits, a request with another one is refused
/// (<see cref="Refusal.Conflict"/>). Tokens identify holders, but are no fences.
/// </remarks>
public sealed class LeaseDistributedSemaphore : IDistributedSemaphore
{
    private readonly Acquirer _acquirer;

    internal LeaseDistributedSemaphore(Acquirer acquirer, int maxCount) => (_acquirer, MaxCount) = (acquirer, maxCount);

    /// <summary>The resource, as the service knows it: the name where it fits, with the provider's prefix.</summary>
    public string Name => _acquirer.Resource;

    /// <summary>
    /// How many may hold at once. Beyond the service's <see cref="LeaseLimits.MaxHolders"/>, 1,000 by default, it is that many.
    /// </summary>
    public int MaxCount { get; }

    /// <summary>
    /// Acquires one of its places, if it is free in time. Blocks the calling thread, and needs no other of its synchronization context.
    /// </summary>
    /// <inheritdoc cref="LeaseDistributedLock.TryAcquire" path="/*[not(self::summary)]"/>
    public LeaseDistributedSynchronizationHandle? TryAcquire(TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _acquirer.TryAcquire(timeout, cancellationToken);

    /// <summary>Acquires one of its places. Blocks the calling thread, and needs no other of its synchronization context.</summary>
    /// <inheritdoc cref="LeaseDistributedLock.Acquire" path="/*[not(self::summary)]"/>
    public LeaseDistributedSynchronizationHandle Acquire(TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _acquirer.Acquire(timeout, cancellationToken);

    /// <summary>Acquires one of its places, if it is free in time.</summary>
    /// <inheritdoc cref="LeaseDistributedLock.TryAcquireAsync" path="/*[not(self::summary)]"/>
    public ValueTask<LeaseDistributedSynchronizationHandle?> TryAcquireAsync(
        TimeSpan timeout = default, CancellationToken cancellationToken = default) =>
        _acquirer.TryAcquireAsync(timeout, cancellationToken);

    /// <summary>Acquires one of its places, first come, first served.</summary>
    /// <inheritdoc cref="LeaseDistributedLock.AcquireAsync" path="/*[not(self::summary)]"/>
    public ValueTask<LeaseDistributedSynchronizationHandle> AcquireAsync(
        TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        _acquirer.AcquireAsync(timeout, cancellationToken);

    IDistributedSynchronizationHandle? IDistributedSemaphore.TryAcquire(TimeSpan timeout, CancellationToken cancellationToken) =>
        TryAcquire(timeout, cancellationToken);

    IDistributedSynchronizationHandle IDistributedSemaphore.Acquire(TimeSpan? timeout, CancellationToken cancellationToken) =>
        Acquire(timeout, cancellationToken);

    ValueTask<IDistributedSynchronizationHandle?> IDistributedSemaphore.TryAcquireAsync(
        TimeSpan timeout, CancellationToken cancellationToken) =>
        Handles.Of(TryAcquireAsync(timeout, cancellationToken));

    ValueTask<IDistributedSynchronizationHandle> IDistributedSemaphore.AcquireAsync(
        TimeSpan? timeout, CancellationToken cancellationToken) =>
        Handles.OfAcquired(AcquireAsync(timeout, cancellationToken));
}
