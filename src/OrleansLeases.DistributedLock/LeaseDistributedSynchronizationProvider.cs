using Medallion.Threading;
using OrleansLeases.Client;
using OrleansLeases.DistributedLocks.Internal;

namespace OrleansLeases.DistributedLocks;

/// <summary>
/// Makes the locks, reader-writer locks and semaphores of Medallion.Threading out of leases. Thread-safe; nothing is called before one of
/// them is acquired.
/// </summary>
/// <remarks>
/// <para>A name is its resource, so that <c>leases get</c>, rights by prefix and other clients know it by that name, where it is one: a
/// path of 1 to 512 bytes of UTF-8 with the prefix, its segments neither empty nor <c>.</c> or <c>..</c>, without control characters. Any
/// other text is <c>~</c> and the SHA-256 of its UTF-16 code units, low byte first, in lower-case hexadecimal; so is a name that has that
/// form itself. Names differ by case.</para>
/// <para>A lock, a reader-writer lock and a semaphore of one name are one resource: the lock is its writer, and a semaphore and readers
/// refuse each other.</para>
/// </remarks>
public sealed class LeaseDistributedSynchronizationProvider
    : IDistributedLockProvider, IDistributedSemaphoreProvider, IDistributedUpgradeableReaderWriterLockProvider
{
    private readonly LeaseClient _client;
    private readonly string? _prefix;
    private readonly LeaseOptions _exclusive;
    private readonly LeaseOptions _shared;

    /// <summary>Creates a provider.</summary>
    /// <param name="client">The client that renews the leases. It stays the caller's.</param>
    /// <param name="options">What the locks are made of; leases of 30 s where left out.</param>
    /// <exception cref="ArgumentNullException"><paramref name="client"/> is null.</exception>
    public LeaseDistributedSynchronizationProvider(LeaseClient client, LeaseDistributedSynchronizationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        options ??= new();
        (_client, _prefix) = (client, options.Prefix);
        // An owner holds a resource once as a reader: the client numbers them.
        _exclusive = options.Lease with { Mode = LeaseMode.Exclusive, Capacity = null, Owner = null };
        _shared = _exclusive with { Mode = LeaseMode.Shared, LockDelay = TimeSpan.Zero, HoldAtLeast = TimeSpan.Zero };
    }

    /// <summary>Makes a lock.</summary>
    /// <param name="name">Its name: any text.</param>
    /// <returns>The lock.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public LeaseDistributedLock CreateLock(string name) => new(new(_client, ResourceOf(name), _exclusive));

    /// <summary>Makes a reader-writer lock.</summary>
    /// <param name="name">Its name: any text.</param>
    /// <returns>The lock.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    public LeaseDistributedReaderWriterLock CreateReaderWriterLock(string name)
    {
        var resource = ResourceOf(name);
        return new(new(_client, resource, _shared), new(_client, resource, _exclusive));
    }

    /// <summary>Makes a semaphore.</summary>
    /// <param name="name">Its name: any text.</param>
    /// <param name="maxCount">How many may hold at once, 1 or more; the same for all users of the name.</param>
    /// <returns>The semaphore.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maxCount"/> is below 1.</exception>
    public LeaseDistributedSemaphore CreateSemaphore(string name, int maxCount)
    {
        var resource = ResourceOf(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxCount, 1);
        return new(new(_client, resource, _shared with { Capacity = maxCount, FitsCapacity = true }), maxCount);
    }

    /// <summary>Refuses: no lease can be upgraded.</summary>
    /// <param name="name">The name.</param>
    /// <returns>Nothing.</returns>
    /// <exception cref="NotSupportedException">Always, with the remedy.</exception>
    public IDistributedUpgradeableReaderWriterLock CreateUpgradeableReaderWriterLock(string name) => throw new NotSupportedException(
        $"'{name}' cannot be an upgradeable reader-writer lock: a shared lease does not become an exclusive one, since two readers that "
            + $"wait to be upgraded would wait for each other. Use {nameof(CreateReaderWriterLock)} and acquire the write lock before you "
            + "read; or release the read lock, acquire the write lock and read again.");

    IDistributedLock IDistributedLockProvider.CreateLock(string name) => CreateLock(name);

    IDistributedReaderWriterLock IDistributedReaderWriterLockProvider.CreateReaderWriterLock(string name) => CreateReaderWriterLock(name);

    IDistributedSemaphore IDistributedSemaphoreProvider.CreateSemaphore(string name, int maxCount) => CreateSemaphore(name, maxCount);

    private string ResourceOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return ResourceNames.Of(_prefix, name);
    }
}
