namespace OrleansLeases.Core;

/// <summary>
/// Limits the concurrent listings of a host: each may read thousands of records, and renewals need the same processors and the same
/// store. Thread-safe.
/// </summary>
#pragma warning disable CA1001 // The semaphore's wait handle is not used, and a listing may outlive the service.
internal sealed class ListingGate
#pragma warning restore CA1001
{
    /// <summary>The most listings that run at once.</summary>
    public const int MaxRunning = 2;

    /// <summary>The most listings that run or wait at once.</summary>
    public const int MaxAdmitted = 16;

    private static readonly Refusal.LimitReached Full = new(
        "listings",
        TimeSpan.FromSeconds(1),
        $"{MaxAdmitted} listings are under way at this server, which takes no more at once; ask again later.");

    private readonly SemaphoreSlim _running = new(MaxRunning);
    private int _admitted;

    /// <summary>Runs a listing once fewer than the most run.</summary>
    /// <typeparam name="T">Its response.</typeparam>
    /// <param name="list">The listing.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Its response, or <c>limit-reached</c> where too many are under way.</returns>
    public async Task<LeaseResult<T>> RunAsync<T>(Func<Task<LeaseResult<T>>> list, CancellationToken cancellationToken)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(list);
        try
        {
            if (Interlocked.Increment(ref _admitted) > MaxAdmitted) return Full;
            await _running.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return await list().ConfigureAwait(false);
            }
            finally
            {
                _running.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _admitted);
        }
    }
}
