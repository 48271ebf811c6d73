using OrleansLeases.Client;

namespace OrleansLeases.DistributedLocks.Internal;

/// <summary>Acquires one kind of lease on one resource as the interfaces of Medallion.Threading want it. Thread-safe.</summary>
/// <param name="client">The client.</param>
/// <param name="resource">The resource.</param>
/// <param name="options">The options of the lease.</param>
internal sealed class Acquirer(LeaseClient client, string resource, LeaseOptions options)
{
    private const int Longest = int.MaxValue;

    public string Resource => resource;

    public ValueTask<LeaseDistributedSynchronizationHandle?> TryAcquireAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        // Here, and not once the caller awaits.
        Check(timeout);
        return RunAsync(timeout, cancellationToken);
    }

    public ValueTask<LeaseDistributedSynchronizationHandle> AcquireAsync(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var wait = timeout ?? Timeout.InfiniteTimeSpan;
        Check(wait);
        return OrTimeOutAsync(wait, cancellationToken);
    }

    public LeaseDistributedSynchronizationHandle? TryAcquire(TimeSpan timeout, CancellationToken cancellationToken)
    {
        Check(timeout);
        return Blocking.Wait(() => RunAsync(timeout, cancellationToken).AsTask());
    }

    public LeaseDistributedSynchronizationHandle Acquire(TimeSpan? timeout, CancellationToken cancellationToken)
    {
        var wait = timeout ?? Timeout.InfiniteTimeSpan;
        Check(wait);
        return Blocking.Wait(() => OrTimeOutAsync(wait, cancellationToken).AsTask());
    }

    private async ValueTask<LeaseDistributedSynchronizationHandle> OrTimeOutAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        await RunAsync(timeout, cancellationToken).ConfigureAwait(false)
        ?? throw new TimeoutException(
            $"'{resource}' was held by others for {timeout.TotalSeconds:0.###} s; wait for longer, or see who holds it.");

    private async ValueTask<LeaseDistributedSynchronizationHandle?> RunAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var lease = await client.TryAcquireAsync(resource, timeout, options, cancellationToken).ConfigureAwait(false);
        return lease is null ? null : new(lease);
    }

    private static void Check(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan || timeout.TotalMilliseconds is >= 0 and <= Longest) return;
        throw new ArgumentOutOfRangeException(
            nameof(timeout), timeout, $"timeout is {timeout}; it takes 0 to {Longest} ms, or Timeout.InfiniteTimeSpan.");
    }
}
