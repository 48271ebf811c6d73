using Medallion.Threading;
using OrleansLeases.Client;
using OrleansLeases.DistributedLocks.Internal;

namespace OrleansLeases.DistributedLocks;

/// <summary>
/// A lock that is held: a lease, which its client renews until the handle is disposed of. Thread-safe.
/// </summary>
/// <remarks>
/// Keep it for as long as the lock is relied on. One that nothing refers to any more ends when it is garbage-collected: the lease is lost
/// and released. No lock can protect against a pause of the process; where a write must not come late, pass the <see cref="Token"/> of an
/// exclusive lock to the resource, and let it refuse lower tokens than it has seen.
/// </remarks>
public sealed class LeaseDistributedSynchronizationHandle : IDistributedSynchronizationHandle
{
    private volatile bool _disposed;

    internal LeaseDistributedSynchronizationHandle(LeaseHandle lease) => Lease = lease;

    /// <summary>The lease. It may be read after the handle was disposed of, too.</summary>
    public LeaseHandle Lease { get; }

    /// <summary>
    /// The fencing token: greater than that of every earlier grant of this name. It never changes. Of readers and of semaphores it is an
    /// identity and no fence.
    /// </summary>
    public long Token => Lease.Token;

    /// <summary>
    /// Cancelled when the lock is lost: when a renewal is refused, and at the latest at the holder's own deadline, whatever the network
    /// does. Not cancelled when the handle is disposed of. It costs no call and no polling.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The handle has been disposed of.</exception>
    public CancellationToken HandleLostToken
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return Lease.LostToken;
        }
    }

    /// <summary>Releases the lock. Blocks as <see cref="DisposeAsync"/> waits, and never throws; a second call does nothing.</summary>
    public void Dispose() => Blocking.Wait(async () =>
    {
        await DisposeAsync().ConfigureAwait(false);
        return true;
    });

    /// <summary>Releases the lock. Never throws, also where the lock was lost; a second call does nothing.</summary>
    /// <returns>
    /// Completes when the service has responded, or after <see cref="LeaseClientOptions.ReleaseTimeout"/>; the release is then retried
    /// in the background until the lease expires.
    /// </returns>
    public ValueTask DisposeAsync()
    {
        _disposed = true;
        return Lease.DisposeAsync();
    }

    /// <inheritdoc/>
    public override string ToString() => Lease.ToString();
}
