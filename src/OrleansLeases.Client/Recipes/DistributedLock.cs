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
public sealed class DistributedLock(LeaseClient client, string name, LeaseOptions? options = null)
{
    private readonly LeaseClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly string _name = name ?? throw new ArgumentNullException(nameof(name));
    private readonly LeaseOptions _options = (options ?? new()) with { Mode = LeaseMode.Exclusive, Capacity = null };

    /// <summary>Acquires the lock, and waits in the queue without a limit.</summary>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease. Dispose it to release the lock.</returns>
    /// <exception cref="LeaseRefusedException">The request is malformed, not allowed, or beyond a bound of the service.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseHandle> AcquireAsync(CancellationToken cancellationToken = default) =>
        _client.AcquireAsync(_name, _options, cancellationToken);

    /// <summary>Acquires the lock, unless another holder has it.</summary>
    /// <param name="wait">How long to wait in the queue; 0 by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease, or null. Dispose it to release the lock.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative and not infinite.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseHandle?> TryAcquireAsync(TimeSpan wait = default, CancellationToken cancellationToken = default) =>
        _client.TryAcquireAsync(_name, wait, _options, cancellationToken);

    /// <summary>Runs work under the lock, and releases it once the work has ended.</summary>
    /// <param name="work">
    /// The work. Its token is cancelled when the lease is lost, and when <paramref name="cancellationToken"/> is; it is
    /// awaited nevertheless.
    /// </param>
    /// <param name="cancellationToken">Leaves the queue, or cancels the token of the work.</param>
    /// <returns>Completes when the work has ended and the lock was released.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="LeaseLostException">
    /// The lease was lost before the work had ended. Other exceptions of the work are passed on.
    /// </exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="AcquireAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task RunAsync(Func<LeaseHandle, CancellationToken, Task> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        work = CallerContext.Bind(work);
        await GuardedWork.RunAsync(
            await AcquireAsync(cancellationToken).ConfigureAwait(false), work, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs work that has a result, as <see cref="RunAsync"/> does.</summary>
    /// <typeparam name="T">The result.</typeparam>
    /// <param name="work">The work.</param>
    /// <param name="cancellationToken">Leaves the queue, or cancels the token of the work.</param>
    /// <returns>What the work returned.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="LeaseLostException">The lease was lost before the work had ended.</exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="AcquireAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<T> RunAsync<T>(Func<LeaseHandle, CancellationToken, Task<T>> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        work = CallerContext.Bind(work);
        return await GuardedWork.RunAsync(
            await AcquireAsync(cancellationToken).ConfigureAwait(false), work, cancellationToken).ConfigureAwait(false);
    }
}
