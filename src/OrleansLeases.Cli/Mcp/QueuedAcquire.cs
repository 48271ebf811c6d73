using System.Diagnostics.CodeAnalysis;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>
/// An acquire that waits in the service's queue while its agent asks for it again and again: between two calls it keeps its place, and
/// a grant that came meanwhile, for a while. Several calls may wait in it at once. Thread-safe.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Its timer ends it; a wait that still runs may have its token.")]
internal sealed class QueuedAcquire
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop;
    private readonly TaskCompletionSource<bool> _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _waiting;

    /// <param name="client">The client.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="options">The kind of lease.</param>
    /// <param name="time">The clock.</param>
    public QueuedAcquire(LeaseClient client, string resource, LeaseOptions options, TimeProvider time)
    {
        (Resource, Options) = (resource, options);
        _stop = new(Timeout.InfiniteTimeSpan, time);
        Grant = client.AcquireAsync(resource, options, _stop.Token).AsTask();
        _stop.Token.UnsafeRegister(static queued => ((QueuedAcquire)queued!)._taken.TrySetResult(false), this);
        Ended = EndAsync();
    }

    /// <summary>What is waited for.</summary>
    public string Resource { get; }

    /// <summary>The kind of lease that is waited for.</summary>
    public LeaseOptions Options { get; }

    /// <summary>The lease, once it is granted.</summary>
    public Task<LeaseHandle> Grant { get; }

    /// <summary>Completes once a grant was taken or released, or none comes any more.</summary>
    public Task Ended { get; }

    /// <summary>Nobody waits for it any more: neither the place nor a grant is kept.</summary>
    public bool IsOver => _stop.IsCancellationRequested;

    /// <summary>Has a call wait in it, until it stops waiting.</summary>
    /// <returns>Whether it can: the place may have been given up.</returns>
    public bool TryWait()
    {
        lock (_gate)
        {
            if (IsOver) return false;
            _waiting++;
            _stop.CancelAfter(Timeout.InfiniteTimeSpan);
            return true;
        }
    }

    /// <summary>Ends the wait of a call. After the last one the place is kept for a while.</summary>
    public void StopWaiting()
    {
        lock (_gate)
        {
            if (--_waiting == 0) _stop.CancelAfter(Advice.Patience);
        }
    }

    /// <summary>Leaves the queue; a lease that nobody has taken is released.</summary>
    public void Leave() => _stop.Cancel();

    /// <summary>Takes the lease that was granted: once.</summary>
    public LeaseHandle? Take() => Grant.IsCompletedSuccessfully && _taken.TrySetResult(true) ? Grant.Result : null;

    private async Task EndAsync()
    {
        await ((Task)Grant).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!Grant.IsCompletedSuccessfully || await _taken.Task) return;
        await (await Grant).DisposeAsync();
    }
}
