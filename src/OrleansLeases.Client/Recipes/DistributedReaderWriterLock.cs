namespace OrleansLeases.Client.Recipes;

/// <summary>Many readers or one writer, between processes and between the tasks of one. Thread-safe.</summary>
/// <remarks>
/// <para>Guaranteed: while a writer's lease is valid no other lease is. There is one queue, first come, first served: a reader
/// that comes after a waiting writer waits behind it, so neither writers nor readers starve. Readers next to each other in the
/// queue are admitted together, up to <see cref="LeaseLimits.MaxHolders"/>.</para>
/// <para>Not guaranteed: anything about work that goes on after its lease was lost, as with <see cref="DistributedLock"/>. A
/// writer's token is a fence; a reader's is not, for readers change nothing. It is not re-entrant, and a reader cannot
/// become a writer: it would wait for itself.</para>
/// </remarks>
/// <param name="client">The client that renews the leases.</param>
/// <param name="name">The resource: 1 to 512 bytes of UTF-8, a path such as <c>catalog</c>.</param>
/// <param name="options">
/// The options of the leases; 30 s where left out. Mode and capacity are ignored, and only writers leave a lock-delay or hold at least.
/// </param>
/// <exception cref="ArgumentNullException"><paramref name="client"/> or <paramref name="name"/> is null.</exception>
public sealed class DistributedReaderWriterLock(LeaseClient client, string name, LeaseOptions? options = null)
{
    private readonly LeaseClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly string _name = name ?? throw new ArgumentNullException(nameof(name));
    private readonly LeaseOptions _writing = (options ?? new()) with { Mode = LeaseMode.Exclusive, Capacity = null };
    private readonly LeaseOptions _reading =
        (options ?? new()) with
        {
            Mode = LeaseMode.Shared, Capacity = null, LockDelay = TimeSpan.Zero, HoldAtLeast = TimeSpan.Zero,
        };

    /// <summary>Acquires as a reader, once no writer holds or waits before it.</summary>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease. Dispose it when done.</returns>
    /// <exception cref="LeaseRefusedException">The request is malformed, not allowed, or beyond a bound of the service.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseHandle> AcquireReadAsync(CancellationToken cancellationToken = default) =>
        _client.AcquireAsync(_name, _reading, cancellationToken);

    /// <summary>Acquires as the writer, once no other holds or waits before it.</summary>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease. Dispose it when done.</returns>
    /// <exception cref="LeaseRefusedException">The request is malformed, not allowed, or beyond a bound of the service.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseHandle> AcquireWriteAsync(CancellationToken cancellationToken = default) =>
        _client.AcquireAsync(_name, _writing, cancellationToken);

    /// <summary>Acquires as a reader, if it is admitted in time.</summary>
    /// <param name="wait">How long to wait in the queue; 0 by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease, or null. Dispose it when done.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative and not infinite.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseHandle?> TryAcquireReadAsync(TimeSpan wait = default, CancellationToken cancellationToken = default) =>
        _client.TryAcquireAsync(_name, wait, _reading, cancellationToken);

    /// <summary>
    /// Acquires as the writer, if it is admitted in time. With a wait of 0 it holds back no reader, and may never be admitted between them.
    /// </summary>
    /// <param name="wait">How long to wait in the queue; 0 by default.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    /// <returns>The lease, or null. Dispose it when done.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative and not infinite.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseHandle?> TryAcquireWriteAsync(TimeSpan wait = default, CancellationToken cancellationToken = default) =>
        _client.TryAcquireAsync(_name, wait, _writing, cancellationToken);

    /// <summary>Runs work as a reader, as <see cref="DistributedLock.RunAsync"/> does.</summary>
    /// <param name="work">The work. Its token is cancelled when the lease is lost.</param>
    /// <param name="cancellationToken">Leaves the queue, or cancels the token of the work.</param>
    /// <returns>Completes when the work has ended and the lease was released.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="LeaseLostException">The lease was lost before the work had ended.</exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="AcquireReadAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task ReadAsync(Func<LeaseHandle, CancellationToken, Task> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        work = CallerContext.Bind(work);
        await GuardedWork.RunAsync(
            await AcquireReadAsync(cancellationToken).ConfigureAwait(false), work, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Runs work as the writer, as <see cref="DistributedLock.RunAsync"/> does.</summary>
    /// <param name="work">The work. Its token is cancelled when the lease is lost.</param>
    /// <param name="cancellationToken">Leaves the queue, or cancels the token of the work.</param>
    /// <returns>Completes when the work has ended and the lease was released.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="work"/> is null.</exception>
    /// <exception cref="LeaseLostException">The lease was lost before the work had ended.</exception>
    /// <exception cref="LeaseRefusedException">As for <see cref="AcquireWriteAsync"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task WriteAsync(Func<LeaseHandle, CancellationToken, Task> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        work = CallerContext.Bind(work);
        await GuardedWork.RunAsync(
            await AcquireWriteAsync(cancellationToken).ConfigureAwait(false), work, cancellationToken).ConfigureAwait(false);
    }
}
