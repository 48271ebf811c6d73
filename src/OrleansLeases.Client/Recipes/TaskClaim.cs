namespace OrleansLeases.Client.Recipes;

/// <summary>The outcome of a claim of a task.</summary>
public enum TaskOutcome
{
    /// <summary>This call did it, and marked it as done.</summary>
    Done = 0,

    /// <summary>It had been done before.</summary>
    WasDone = 1,

    /// <summary>Another worker holds the task.</summary>
    Busy = 2,
}

/// <summary>A task that one worker at a time does, and that is not done again. Thread-safe.</summary>
/// <remarks>
/// <para>Guaranteed: no two workers' leases on it are valid at once. Where a worker dies or loses its lease, the next
/// one that claims the task does it. The mark that it is done is a free-standing key of the task's name. It stays until it is
/// deleted: a service that drops the records of names which are not in use (<see cref="ServiceInfo.Retain"/>) keeps keys that have a
/// value. Of the lease itself nothing is left then. It is written
/// only while the worker's lease is in force, and no worker starts the task once it exists: a worker starts by claiming that
/// key, bound to its lease.</para>
/// <para>Not guaranteed: that the work runs only once. A worker may die between its last step and the mark; the next one
/// then starts again, so the steps must be idempotent.</para>
/// <para>What the token adds: a worker that is paused past its lease can no longer mark the task as done, but it may go on
/// with the step it was in, beside the next worker. A resource that receives <see cref="LeaseHandle.Token"/> with each step, and
/// refuses lower tokens than it has seen, refuses that step from the first step of the next worker on. At resources without
/// that check steps may come late, and out of order.</para>
/// </remarks>
/// <param name="client">The client that renews the lease.</param>
/// <param name="task">The task's name, as a resource and as a key: 1 to 512 bytes of UTF-8, a path such as <c>invoices/2030-01</c>.</param>
/// <param name="options">The options of the lease; 30 s where left out. Its mode and capacity are ignored.</param>
/// <exception cref="ArgumentNullException"><paramref name="client"/> or <paramref name="task"/> is null.</exception>
public sealed class TaskClaim(LeaseClient client, string task, LeaseOptions? options = null) : ITaskClaim
{
    private readonly LeaseClient _client = client ?? throw new ArgumentNullException(nameof(client));
    private readonly string _task = task ?? throw new ArgumentNullException(nameof(task));
    private readonly LeaseOptions _options = (options ?? new()) with { Mode = LeaseMode.Exclusive, Capacity = null };

    /// <inheritdoc/>
    public async ValueTask<bool> IsDoneAsync(CancellationToken cancellationToken = default) =>
        await SettledKey.ReadAsync(_client, _task, cancellationToken).ConfigureAwait(false) is not null;

    /// <inheritdoc/>
    public async Task<TaskOutcome> RunAsync(
        Func<LeaseHandle, CancellationToken, Task> work, TimeSpan wait = default, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(work);
        work = CallerContext.Bind(work);
        if (await IsDoneAsync(cancellationToken).ConfigureAwait(false)) return TaskOutcome.WasDone;
        var lease = await _client.TryAcquireAsync(_task, wait, _options, cancellationToken).ConfigureAwait(false);
        return lease is null
            ? TaskOutcome.Busy
            : await GuardedWork.UnderAsync(lease, (held, stop) => DoAsync(held, work, stop), cancellationToken).ConfigureAwait(false);
    }

    private async Task<TaskOutcome> DoAsync(LeaseHandle lease, Func<LeaseHandle, CancellationToken, Task> work, CancellationToken stop)
    {
        // Another worker may have done it before this one had the lease.
        if (await SettledKey.ClaimAsync(_client, lease, _task, ifVersion: 0).ConfigureAwait(false) is not { } claim)
            return await IsDoneAsync(stop).ConfigureAwait(false) ? TaskOutcome.WasDone : throw Lost(lease);
        await work(lease, stop).ConfigureAwait(false);
        var mark = $"done by {lease.Owner} with token {lease.Token}";
        return await SettledKey.SettleAsync(_client, lease, _task, mark, claim).ConfigureAwait(false)
            ? TaskOutcome.Done
            : throw Lost(lease);
    }

    private LeaseLostException Lost(LeaseHandle lease) => new(lease.LossByNow ?? new(
        NotHolderReason.Superseded, $"The lease on '{_task}' is over, or its key was written by others; leave that to its workers."));
}
