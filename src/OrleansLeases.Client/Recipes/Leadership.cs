using OrleansLeases.Client.Holding;

namespace OrleansLeases.Client.Recipes;

/// <summary>A term as the leader. Dispose it to resign. Thread-safe.</summary>
public sealed class Leadership : IAsyncDisposable
{
    internal Leadership(LeaseHandle lease)
    {
        Lease = lease;
        var handOver = new CancellationTokenSource();
        HandOverToken = handOver.Token;
        // Without the lease's handle, which would otherwise be kept by this for ever.
        var (client, held) = (lease.Client, lease.Lease);
        _ = Background.Run(() => FollowAsync(client, held, handOver));
    }

    /// <summary>The lease of the term.</summary>
    public LeaseHandle Lease { get; }

    /// <summary>The fencing token of the term, greater than that of every earlier term.</summary>
    public long Token => Lease.Token;

    /// <summary>Cancelled when the leadership is lost: see <see cref="LeaseHandle.LostToken"/>. Not cancelled by resigning.</summary>
    public CancellationToken LostToken => Lease.LostToken;

    /// <summary>
    /// Cancelled when the leader is requested to hand over: it has <see cref="LeaseHandle.Remaining"/> to finish and resign, and then
    /// the leadership is lost. The leader learns of it with its next renewal, a third of the time to live later at most while the
    /// service responds.
    /// </summary>
    public CancellationToken HandOverToken { get; }

    /// <summary>Registers a callback for when the leadership is lost; it starts before anyone else can lead.</summary>
    /// <remarks>
    /// It is started at this process' own deadline at the latest, which lies before the service's by
    /// <see cref="LeaseClientOptions.ClockDrift"/>; <see cref="LeaseOptions.LockDelay"/> gives it more time, also where the
    /// service did not respond. In a paused process the callbacks run once it resumes.
    /// </remarks>
    /// <param name="callback">The callback: short, and without exceptions, as for <see cref="LeaseHandle.LostToken"/>.</param>
    /// <returns>The registration; dispose it to unregister the callback.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    public IDisposable OnLost(Action<LeaseLoss> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return LostToken.UnsafeRegister(_ => callback(Lease.Loss!), null);
    }

    /// <summary>Resigns: the next candidate in the queue leads at once. Never throws.</summary>
    /// <returns>Completes when the service has responded, or after <see cref="LeaseClientOptions.ReleaseTimeout"/>.</returns>
    public ValueTask DisposeAsync() => Lease.DisposeAsync();

    private static async Task FollowAsync(LeaseClient client, HeldLease lease, CancellationTokenSource handOver)
    {
        while (true)
        {
            var change = client.NextChangeOf(lease);
            if (lease.IsOver) return;
            if (lease.Breaking is not null)
            {
                await handOver.CancelAsync().ConfigureAwait(false);
                return;
            }

            await change.ConfigureAwait(false);
        }
    }
}
