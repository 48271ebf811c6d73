namespace OrleansLeases.Core;

/// <summary>
/// Lets few listings of a host run at once, however many ask: each may pass over thousands of records, and holders that renew
/// need the same processors and the same store. Thread-safe.
/// </summary>
#pragma warning disable CA1001 // Nobody asks for the semaphore's wait handle, and a listing may outlive the service.
internal sealed class ListingGate
#pragma warning restore CA1001
{
    /// <summary>How many run at once.</summary>
    public const int RunAtOnce = 2;

    /// <summary>How many are taken in at once: those that run, and those that wait for one of them to end.</summary>
    public const int TakeAtOnce = 16;

    private static readonly Refusal.LimitReached Full = new(
        "listings",
        TimeSpan.FromSeconds(1),
        $"{TakeAtOnce} listings are under way at this server, which takes no more at once; ask again later.");

    private readonly SemaphoreSlim _places = new(RunAtOnce);
    private int _taken;

    /// <summary>Runs a listing once there is a place for it.</summary>
    /// <typeparam name="T">What it answers with.</typeparam>
    /// <param name="list">The listing; its place is another's once it has ended.</param>
    /// <param name="cancellationToken">Gives up waiting for that.</param>
    /// <returns>What it answered, or <c>limit-reached</c> where too many are under way.</returns>
    public async Task<LeaseResult<T>> RunAsync<T>(Func<Task<LeaseResult<T>>> list, CancellationToken cancellationToken)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(list);
        try
        {
            if (Interlocked.Increment(ref _taken) > TakeAtOnce) return Full;
            await _places.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return await list().ConfigureAwait(false);
            }
            finally
            {
                _places.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref _taken);
        }
    }
}
