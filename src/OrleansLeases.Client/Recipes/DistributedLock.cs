namespace OrleansLeases.Client.Recipes;

/// <summary>
/// Mutual exclusion between processes, and between the tasks of one: one holder at a time, first come, first served. Thread-safe.
/// </summary>
/// <remarks>
/// <para>Guaranteed: no two of its leases are valid at once, whichever process holds them; a holder that has crashed
/// delays the others for its time to live and the service's grace at most; work that stops in time once its token is cancelled
/// never overlaps with that of the next holder.</para>
/// <para>Not guaranteed: anything about work that goes on after its lease was lost. A paused process cannot
/// notice; where a write must not come late, pass <see cref="LeaseHandle.Token"/> to the resource, which refuses lower tokens than
/// it has seen. The lock is not re-entrant: a holder that acquires it again waits for itself.</para>
/// </remarks>
/// <param name="client">The client that renews the lease.</param>
/// <param name="name">The resource: 1 to 512 bytes of UTF-8, a path such as <c>jobs/report</c>.</param>
/// <param name="options">The options of the lease; 30 s where left out. Its mode and capacity are ignored.</param>
/// <exception cref="ArgumentNullException"><paramref name="client"/> or <paramref name="name"/> is null.</exception>
public sealed class DistributedLock(LeaseClient client, string name, LeaseOptions? options = null) : IDistributedLock
{
    private readonly LeaseClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly string _name = name ?? throw new ArgumentNullException(nameof(name));
    private readonly LeaseOptions _options = (options ?? new()) with { Mode = LeaseMode.Exclusive, Capacity = null };

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

    /// <inheritdoc/>
    public async Task<T> RunAsync<T>(Func<LeaseHandle, CancellationToken, Task<T>> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        work = CallerContext.Bind(work);
        return await GuardedWork.RunAsync(
            await AcquireAsync(cancellationToken).ConfigureAwait(false), work, cancellationToken).ConfigureAwait(false);
    }
}
