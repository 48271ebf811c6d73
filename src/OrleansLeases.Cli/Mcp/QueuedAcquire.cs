using System.Diagnostics.CodeAnalysis;
using OrleansLeases.Client;

namespace OrleansLeases.Cli.Mcp;

/// <summary>
/// An acquire that waits in the service's queue while its agent asks for it again and again: between two calls it keeps its place, and
/// a grant that came meanwhile, for a while. Thread-safe.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Its timer ends it; a wait that still runs may have its token.")]
internal sealed class QueuedAcquire
{
    private readonly CancellationTokenSource _stop;
    private int _settled;

    /// <param name="client">The client.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="options">The kind of lease.</param>
    /// <param name="time">The clock.</param>
    public QueuedAcquire(LeaseClient client, string resource, LeaseOptions options, TimeProvider time)
    {
        Options = options;
        _stop = new(Timeout.InfiniteTimeSpan, time);
        Grant = client.AcquireAsync(resource, options, _stop.Token).AsTask();
        _stop.Token.UnsafeRegister(static queued => ((QueuedAcquire)queued!).Abandon(), this);
    }

    /// <summary>The kind of lease that is waited for.</summary>
    public LeaseOptions Options { get; }

    /// <summary>The lease, once it is granted.</summary>
    public Task<LeaseHandle> Grant { get; }

    /// <summary>Nobody waits for it any more: neither the place nor a grant is kept.</summary>
    public bool IsOver => _stop.IsCancellationRequested;

    /// <summary>Says how long the place is kept from now on.</summary>
    public void KeepFor(TimeSpan patience) => _stop.CancelAfter(patience);

    /// <summary>Leaves the queue; a lease that nobody has taken is released.</summary>
    public void Leave() => _stop.Cancel();

    /// <summary>Takes the lease that was granted: once.</summary>
    public LeaseHandle? Take() => Grant.IsCompletedSuccessfully && Interlocked.Exchange(ref _settled, 1) == 0 ? Grant.Result : null;

    private void Abandon()
    {
        if (Interlocked.Exchange(ref _settled, 1) != 0) return;
        _ = Grant.ContinueWith(
            static granted => granted.IsCompletedSuccessfully ? granted.Result.DisposeAsync().AsTask() : Task.CompletedTask,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }
}
