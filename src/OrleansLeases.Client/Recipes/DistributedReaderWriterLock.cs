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
    : IDistributedReaderWriterLock
{
    private readonly LeaseClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly string _name = name ?? throw new ArgumentNullException(nameof(name));
    private readonly LeaseOptions _writing = (options ?? new()) with { Mode = LeaseMode.Exclusive, Capacity = null };
    private readonly LeaseOptions _reading =
        (options ?? new()) with
        {
            Mode = LeaseMode.Shared, Capacity = null, LockDelay = TimeSpan.Zero, HoldAtLeast = TimeSpan.Zero,
        };

    /// <inheritdoc/>
    public ValueTask<LeaseHandle> AcquireReadAsync(CancellationToken cancellationToken = default) =>
        _client.AcquireAsync(_name, _reading, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseHandle> AcquireWriteAsync(CancellationToken cancellationToken = default) =>
        _client.AcquireAsync(_name, _writing, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseHandle?> TryAcquireReadAsync(TimeSpan wait = default, CancellationToken cancellationToken = default) =>
        _client.TryAcquireAsync(_name, wait, _reading, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<LeaseHandle?> TryAcquireWriteAsync(TimeSpan wait = default, CancellationToken cancellationToken = default) =>
        _client.TryAcquireAsync(_name, wait, _writing, cancellationToken);

    /// <inheritdoc/>
    public async Task ReadAsync(Func<LeaseHandle, CancellationToken, Task> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        work = CallerContext.Bind(work);
        await GuardedWork.RunAsync(
            await AcquireReadAsync(cancellationToken).ConfigureAwait(false), work, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task WriteAsync(Func<LeaseHandle, CancellationToken, Task> work, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        work = CallerContext.Bind(work);
        await GuardedWork.RunAsync(
            await AcquireWriteAsync(cancellationToken).ConfigureAwait(false), work, cancellationToken).ConfigureAwait(false);
    }
}
