using OrleansLeases.Client.Holding;

namespace OrleansLeases.Client;

/// <summary>
/// A lease that this process holds. Its client renews it until it is released, lost or disposed of. Thread-safe.
/// </summary>
/// <remarks>
/// <para>The holder counts its time from when it sent the call that brought it, less <see cref="LeaseClientOptions.ClockDrift"/>,
/// by a clock that counts the machine's sleep, as Linux has; elsewhere by whichever of monotonic and wall time went further. So
/// its time is over before the service gives the resource to anyone else, whatever the network did to calls and answers, and
/// also where the process was stopped or the machine slept; not where a virtual machine was paused with all its clocks.
/// Once it is over, it stays over.</para>
/// <para>That does not reach into a pause of the process itself: between a check and the act that relies on it, any time
/// may pass. What must not happen twice has to be refused by the resource: give it the <see cref="Token"/>, and let it
/// refuse lower ones than it has seen. For shared leases tokens are identities, not fences.</para>
/// <para>Keep the handle for as long as the lease is relied on, and dispose of it. One that nobody refers to any more ends when
/// it is collected: the lease is lost, given back, and logged with where it was taken. <see cref="Token"/> keeps
/// nothing, being a number.</para>
/// </remarks>
public sealed class LeaseHandle : IAsyncDisposable
{
    private readonly LeaseClient _client;
    private readonly HeldLease _lease;
    private readonly Lazy<Task<LeaseResult<LeaseRelease>>> _release;
    private LostSource? _lost;

    internal LeaseHandle(LeaseClient client, HeldLease lease)
    {
        (_client, _lease) = (client, lease);
        _release = new(() => client.ReleaseAsync(lease));
    }

    /// <summary>Nobody can release the lease any more, so it is not kept for ever.</summary>
    ~LeaseHandle() => _client.LetGo(_lease);

    /// <summary>The resource.</summary>
    public string Resource => _lease.Grant.Resource;

    /// <summary>Who holds it, as the service knows.</summary>
    public string Owner => _lease.Grant.Owner;

    /// <summary>The fencing token: greater than that of every earlier grant of this resource. It never changes.</summary>
    public long Token => _lease.Grant.Token;

    /// <summary>How it is held.</summary>
    public LeaseMode Mode => _lease.Grant.Mode;

    /// <summary>The time to live, as granted.</summary>
    public TimeSpan Ttl => _lease.Grant.Ttl;

    /// <summary>How long the lease is surely held if nothing is heard from the service any more; 0 once it is over. Takes no I/O.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var left = _lease.EndsAt - _client.Now;
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>
    /// Cancelled when the lease is lost: when the service says so, and at the latest when <see cref="Remaining"/> runs out,
    /// whatever has become of renewals and of the thread pool. After a sleep of the machine it is cancelled within some
    /// 50 ms of waking. Not cancelled by a release.
    /// </summary>
    /// <remarks>
    /// <para>Callbacks run on threads of this library, outside of any context of the caller's. However many do not return, they
    /// hold up no other lease's: each that does not has a thread of its own, for as long as it takes. Those of one token run
    /// one after the other. A callback that throws ends the process, as one of a timer does.</para>
    /// <para>Code that has the token, or one that is linked to it, keeps the lease; and so does a callback, or code that waits
    /// for the token, where it refers to the handle. Where neither the handle nor the token is referred to any more, the lease is lost,
    /// and the callbacks run.</para>
    /// </remarks>
    public CancellationToken LostToken
    {
        get
        {
            if (Volatile.Read(ref _lost) is { } known) return known.Token;
            return _client.SourceOf(_lease, ref _lost)?.Token ?? new(canceled: true);
        }
    }

    /// <summary>Why the lease was lost; null while it is held, and where it was released.</summary>
    public LeaseLoss? Loss => _lease.Loss;

    /// <summary>Present once the lease is being broken: no renewal extends it any more, and this is the time to come to an end.</summary>
    /// <value>The notice as the service sent it; <see cref="Remaining"/> says how much is left of it.</value>
    public BreakNotice? Breaking => _lease.Breaking;

    /// <summary>Why the last renewal did not come through; null while all is well. It is tried again until the lease has run out.</summary>
    public Refusal? Trouble => _lease.Trouble;

    /// <summary>
    /// Completes at the next change: renewed, not renewed, being broken, lost or released. Completed once the lease is over.
    /// To miss none, take it before looking.
    /// </summary>
    public Task NextChange => _client.NextChangeOf(_lease);

    internal LeaseClient Client => _client;

    internal HeldLease Lease => _lease;

    /// <summary>It was lost or released.</summary>
    internal bool IsOver => _lease.IsOver;

    /// <summary>As <see cref="Loss"/>, without waiting for the alarm: a lease whose time has run out is lost.</summary>
    internal LeaseLoss? LossByNow
    {
        get
        {
            // Looked at in this order, since the alarm may come in between.
            var ranOut = !IsValid() && !_lease.IsOver;
            return _lease.Loss ?? (ranOut ? _client.LossAtTheEndOf(_lease) : null);
        }
    }

    /// <summary>Whether the lease is held for at least so much longer. Takes no I/O; costs a look at the clock.</summary>
    /// <param name="margin">How much time is needed; not negative. 0 by default: is it held at this moment?</param>
    /// <returns>Whether it is. Once the answer was false without a margin, it is never true again.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="margin"/> is negative.</exception>
    public bool IsValid(TimeSpan margin = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(margin, TimeSpan.Zero);
        return _lease.EndsAt - _client.Now > margin;
    }

    /// <summary>Gives the resource back. The lease is no longer valid from the call on.</summary>
    /// <returns>
    /// The release; <see cref="Refusal.NotHolder"/> where the lease had been lost, or
    /// <see cref="Refusal.OutcomeUnknown"/> where the service did not say so within
    /// <see cref="LeaseClientOptions.ReleaseTimeout"/> or the lease's time: it is tried again in the background, and the lease
    /// runs out by itself. A second call is answered with the result of the first.
    /// </returns>
    public Task<LeaseResult<LeaseRelease>> ReleaseAsync() => _release.Value;

    /// <summary>Releases the lease, as <see cref="ReleaseAsync"/> does. Never throws.</summary>
    /// <returns>When the service has said so, or it is not worth waiting for.</returns>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await ReleaseAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Resource} #{Token}";
}
