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

    /// <summary>The lease it rests on.</summary>
    public LeaseHandle Lease { get; }

    /// <summary>The term's number, greater than that of every earlier term, and a fence for what the leader does.</summary>
    public long Token => Lease.Token;

    /// <summary>Cancelled when the leadership is lost: see <see cref="LeaseHandle.LostToken"/>. Not cancelled by resigning.</summary>
    public CancellationToken LostToken => Lease.LostToken;

    /// <summary>
    /// Cancelled when the leader is asked to hand over: <see cref="LeaseHandle.Remaining"/> is what is left to come to an end and
    /// resign, and then the leadership is lost. The leader hears of it with its next renewal, a third of the time to live later at most
    /// while the service answers.
    /// </summary>
    public CancellationToken HandOverToken { get; }

    /// <summary>Has something done when the leadership is lost, before anyone else can lead.</summary>
    /// <remarks>
    /// It is started at this process' own deadline at the latest, which lies before the service's by
    /// <see cref="LeaseClientOptions.ClockDrift"/>; <see cref="LeaseOptions.LockDelay"/> gives it more time, also where the
    /// service was not heard. A process that is paused is paused with its callbacks: they then run once it goes on.
    /// </remarks>
    /// <param name="callback">What to do: short, and without exceptions, as <see cref="LeaseHandle.LostToken"/> asks for.</param>
    /// <returns>Dispose it to have nothing done any more.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="callback"/> is null.</exception>
    public IDisposable OnLost(Action<LeaseLoss> callback)
    {
        ArgumentNullException.ThrowIfNull(callback);
        return LostToken.UnsafeRegister(_ => callback(Lease.Loss!), null);
    }

    /// <summary>Resigns: the next candidate in the queue leads at once. Never throws.</summary>
    /// <returns>When the service has said so, or it is not worth waiting for.</returns>
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
