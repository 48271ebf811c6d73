namespace OrleansLeases.Client.Recipes;

/// <summary>Limits the concurrent holders of a resource over all processes: connections, or calls to an API. Thread-safe.</summary>
/// <remarks>
/// <para>Guaranteed: at no time are more of its leases valid than its capacity; it is first come, first served; the
/// lease of a holder that has crashed is free after its time to live and the service's grace at the latest.</para>
/// <para>Not guaranteed: anything about work that goes on after its lease was lost. Tokens identify holders, but are no
/// fences: a later one does not end an earlier lease. It limits concurrency, not a rate.</para>
/// </remarks>
public sealed class DistributedSemaphore : IDistributedSemaphore
{
    private readonly LeaseClient _client;
    private readonly string _name;
    private readonly LeaseOptions _options;

    /// <summary>Creates the semaphore. Nothing is called yet.</summary>
    /// <param name="client">The client that renews the leases.</param>
    /// <param name="name">The resource: 1 to 512 bytes of UTF-8, a path such as <c>apis/maps</c>.</param>
    /// <param name="capacity">How many may hold at once, 1 to the service's <see cref="LeaseLimits.MaxHolders"/>; the same for all.</param>
    /// <param name="options">
    /// The options of the leases; 30 s where left out. Mode, capacity, lock-delay and hold-at-least are ignored.
    /// </param>
    /// <exception cref="ArgumentNullException"><paramref name="client"/> or <paramref name="name"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is below 1.</exception>
    public DistributedSemaphore(LeaseClient client, string name, int capacity, LeaseOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(client);
        ArgumentNullException.ThrowIfNull(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        (_client, _name) = (client, name);
        _options = (options ?? new()) with
        {
            Mode = LeaseMode.Shared, Capacity = capacity, LockDelay = TimeSpan.Zero, HoldAtLeast = TimeSpan.Zero,
        };
    }

    /// <inheritdoc/>
    public ValueTask<LeaseHandle> AcquireAsync(CancellationToken cancellationToken = default) =>
        _client.AcquireAsync(_name, _options, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseHandle?> TryAcquireAsync(TimeSpan wait = default, CancellationToken cancellationToken = default) =>
        _client.TryAcquireAsync(_name, wait, _options, cancellationToken);

    /// <inheritdoc/>
    public async Task RunAsync(Func<LeaseHandle, CancellationToken, Task> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        work = CallerContext.Bind(work);
        await GuardedWork.RunAsync(
            await AcquireAsync(cancellationToken).ConfigureAwait(false), work, cancellationToken).ConfigureAwait(false);
    }
}
