using Medallion.Threading;
using OrleansLeases.DistributedLocks;

namespace OrleansLeases.Client.Tests.DistributedLocks;

/// <summary>What excludes others: by the interfaces alone, as an application of Medallion.Threading has it.</summary>
internal abstract class Mutex(string name)
{
    public static readonly string[] Kinds = ["lock", "writer", "semaphore of one"];

    public string Name => name;

    public static Mutex Of(string kind, LeaseDistributedSynchronizationProvider provider, string name) => kind switch
    {
        "lock" => new OfLock(((IDistributedLockProvider)provider).CreateLock(name)),
        "writer" => new OfWriter(((IDistributedReaderWriterLockProvider)provider).CreateReaderWriterLock(name)),
        _ => new OfSemaphore(((IDistributedSemaphoreProvider)provider).CreateSemaphore(name, 1)),
    };

    public abstract IDistributedSynchronizationHandle? TryAcquire(TimeSpan timeout = default, CancellationToken stop = default);

    public abstract IDistributedSynchronizationHandle Acquire(TimeSpan? timeout = null, CancellationToken stop = default);

    public abstract ValueTask<IDistributedSynchronizationHandle?> TryAcquireAsync(
        TimeSpan timeout = default, CancellationToken stop = default);

    public abstract ValueTask<IDistributedSynchronizationHandle> AcquireAsync(TimeSpan? timeout = null, CancellationToken stop = default);

    private sealed class OfLock(IDistributedLock one) : Mutex(one.Name)
    {
        public override IDistributedSynchronizationHandle? TryAcquire(TimeSpan timeout, CancellationToken stop) =>
            one.TryAcquire(timeout, stop);

        public override IDistributedSynchronizationHandle Acquire(TimeSpan? timeout, CancellationToken stop) => one.Acquire(timeout, stop);

        public override ValueTask<IDistributedSynchronizationHandle?> TryAcquireAsync(TimeSpan timeout, CancellationToken stop) =>
            one.TryAcquireAsync(timeout, stop);

        public override ValueTask<IDistributedSynchronizationHandle> AcquireAsync(TimeSpan? timeout, CancellationToken stop) =>
            one.AcquireAsync(timeout, stop);
    }

    private sealed class OfWriter(IDistributedReaderWriterLock one) : Mutex(one.Name)
    {
        public override IDistributedSynchronizationHandle? TryAcquire(TimeSpan timeout, CancellationToken stop) =>
            one.TryAcquireWriteLock(timeout, stop);

        public override IDistributedSynchronizationHandle Acquire(TimeSpan? timeout, CancellationToken stop) =>
            one.AcquireWriteLock(timeout, stop);

        public override ValueTask<IDistributedSynchronizationHandle?> TryAcquireAsync(TimeSpan timeout, CancellationToken stop) =>
            one.TryAcquireWriteLockAsync(timeout, stop);

        public override ValueTask<IDistributedSynchronizationHandle> AcquireAsync(TimeSpan? timeout, CancellationToken stop) =>
            one.AcquireWriteLockAsync(timeout, stop);
    }

    private sealed class OfSemaphore(IDistributedSemaphore one) : Mutex(one.Name)
    {
        public override IDistributedSynchronizationHandle? TryAcquire(TimeSpan timeout, CancellationToken stop) =>
            one.TryAcquire(timeout, stop);

        public override IDistributedSynchronizationHandle Acquire(TimeSpan? timeout, CancellationToken stop) => one.Acquire(timeout, stop);

        public override ValueTask<IDistributedSynchronizationHandle?> TryAcquireAsync(TimeSpan timeout, CancellationToken stop) =>
            one.TryAcquireAsync(timeout, stop);

        public override ValueTask<IDistributedSynchronizationHandle> AcquireAsync(TimeSpan? timeout, CancellationToken stop) =>
            one.AcquireAsync(timeout, stop);
    }
}
