using OrleansLeases.Client.Holding;

namespace OrleansLeases.Client;

/// <summary>Calls of <see cref="ILeaseService"/> that last longer than one request.</summary>
public static class LeaseServiceExtensions
{
    /// <summary>
    /// Acquires with a wait of any length, where one request waits 25 s at most: it repeats the request with the same request id, which
    /// keeps the waiter's position in the queue, also where a response was lost. The caller renews the grant;
    /// <see cref="LeaseClient"/> renews by itself. Thread-safe.
    /// </summary>
    /// <param name="service">The service.</param>
    /// <param name="request">The request; its own <see cref="AcquireRequest.Wait"/> is ignored.</param>
    /// <param name="wait">How long to wait in the queue, 0 or more.</param>
    /// <param name="time">The clock of the wait; the system's where left out.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The grant, or the last refusal.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="service"/> or <paramref name="request"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before a grant was made.</exception>
    public static ValueTask<LeaseResult<LeaseGrant>> AcquireWithRetryAsync(
        this ILeaseService service, AcquireRequest request, TimeSpan wait, TimeProvider? time = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        time ??= TimeProvider.System;
        return new AcquireLoop(service, HolderClock.Of(time), time, Random.Shared, request, new LeaseLimits().MaxWait)
            .AskAsync(wait, cancellationToken);
    }
}
