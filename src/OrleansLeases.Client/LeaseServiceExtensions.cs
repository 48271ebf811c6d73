using OrleansLeases.Client.Holding;

namespace OrleansLeases.Client;

/// <summary>Calls that any <see cref="ILeaseService"/> can make longer than one request lasts.</summary>
public static class LeaseServiceExtensions
{
    /// <summary>
    /// Acquires with a wait as long as it takes, where one call waits 25 s at most: the request id keeps the place in the queue from
    /// call to call, and across answers that were lost. The grant is the caller's to renew; <see cref="LeaseClient"/> does
    /// that by itself.
    /// </summary>
    /// <param name="service">The service.</param>
    /// <param name="request">The request; its own <see cref="AcquireRequest.Wait"/> is not looked at.</param>
    /// <param name="wait">How long to wait in the queue, 0 or more.</param>
    /// <param name="time">The clock of the wait; the system's where left out.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The grant, or the last refusal.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="service"/> or <paramref name="request"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before a grant was made.</exception>
    public static ValueTask<LeaseResult<LeaseGrant>> AcquirePatientlyAsync(
        this ILeaseService service, AcquireRequest request, TimeSpan wait, TimeProvider? time = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(service);
        ArgumentNullException.ThrowIfNull(request);
        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        time ??= TimeProvider.System;
        return new AcquireLoop(service, HolderClock.Of(time), time, request, new LeaseLimits().MaxWait).AskAsync(wait, cancellationToken);
    }
}
