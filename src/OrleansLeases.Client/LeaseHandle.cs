using OrleansLeases.Client.Holding;

namespace OrleansLeases.Client;

/// <summary>
/// A lease that this process holds. Its client renews it until it is released, lost or disposed of. Thread-safe.
/// </summary>
/// <remarks>
/// <para>The holder counts its time from when it sent the request, less <see cref="LeaseClientOptions.ClockDrift"/>, on a clock that
/// counts the machine's sleep, as Linux has; elsewhere on the further of monotonic and wall time. So its time is over before the
/// service grants the resource to anyone else, whatever the network did to requests and responses, and also where the process was
/// stopped or the machine slept; not where a virtual machine was paused with all its clocks. A lease that is over stays over.</para>
/// <para>This cannot protect against a pause of the process itself: any time may pass between a check and the write that relies on
/// it. Where a write must not come late, pass the <see cref="Token"/> to the resource, and let it refuse lower tokens than it has
/// seen. For shared leases tokens are identities, not fences.</para>
/// <para>Keep the handle for as long as the lease is relied on, and dispose of it. A handle without references ends when it is
/// garbage-collected: the lease is lost, released, and logged with the place in the code that acquired it.</para>
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

    /// <summary>Ends the lease: without its handle it cannot be released, and would be renewed for ever.</summary>
    ~LeaseHandle() => _client.LetGo(_lease);

    /// <summary>The resource.</summary>
    public string Resource => _lease.Grant.Resource;

    /// <summary>The owner of the lease.</summary>
    public string Owner => _lease.Grant.Owner;

    /// <summary>The fencing token: greater than that of every earlier grant of this resource. It never changes.</summary>
    public long Token => _lease.Grant.Token;

    /// <summary>
    /// Shows a resource that the token was granted, without asking the service; null unless <see cref="LeaseOptions.Proof"/> asked for it.
    /// </summary>
    public string? Proof => _lease.Grant.Proof;

    /// <summary>How it is held.</summary>
    public LeaseMode Mode => _lease.Grant.Mode;

    /// <summary>The time to live, as granted.</summary>
    public TimeSpan Ttl => _lease.Grant.Ttl;

    /// <summary>How long the lease is held without another renewal, 0 or more; 0 once it is over. Does no I/O.</summary>
    public TimeSpan Remaining
    {
        get
        {
            var left = _lease.EndsAt - _client.Now;
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>
    /// Cancelled when the lease is lost: when a renewal is refused, and at the latest when <see cref="Remaining"/> reaches 0, also while
    /// renewals hang or the thread pool is starved. After a sleep of the machine it is cancelled within some 50 ms of waking. Not
    /// cancelled by a release.
    /// </summary>
    /// <remarks>
    /// <para>Callbacks run on threads of this library, without the caller's execution context. The callbacks of one token run one after
    /// the other; one that blocks has its thread to itself and delays no other lease's. A callback that throws ends the process, as that
    /// of a timer does.</para>
    /// <para>A reference to the token, or to a token linked to it, keeps the lease alive, and so does a callback that refers to the
    /// handle. Where neither the handle nor the token is referenced, the lease is lost, and the callbacks run.</para>
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

    /// <summary>The notice of a break; null without one. Renewals extend the lease no further: finish the work by then.</summary>
    /// <value>The notice as the service sent it; <see cref="Remaining"/> is what is left of it.</value>
    public BreakNotice? Breaking => _lease.Breaking;

    /// <summary>The refusal of the last renewal; null after a successful one. Renewals are retried until the lease expires.</summary>
    public Refusal? Trouble => _lease.Trouble;

    /// <summary>
    /// Completes at the next change: renewed, not renewed, being broken, lost or released. Completed once the lease is over.
    /// Get the task before you read the state, so as to miss no change.
    /// </summary>
    public Task NextChange => _client.NextChangeOf(_lease);

    /// <summary>What traced the acquire, as W3C writes it; null where nothing did.</summary>
    internal string? GrantTrace { get; init; }

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

    /// <summary>Whether the lease is held for longer than a margin. Does no I/O; reads the clock.</summary>
    /// <param name="margin">The time that is needed, 0 or more. 0 by default: whether it is held now.</param>
    /// <returns>Whether it is. Once it was false for a margin of 0, it is never true again.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="margin"/> is negative.</exception>
    public bool IsValid(TimeSpan margin = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(margin, TimeSpan.Zero);
        return _lease.EndsAt - _client.Now > margin;
    }

    /// <summary>Releases the resource. The lease is no longer valid from the call on.</summary>
    /// <returns>
    /// The release; <see cref="Refusal.NotHolder"/> where the lease had been lost, or
    /// <see cref="Refusal.OutcomeUnknown"/> where the service did not respond within
    /// <see cref="LeaseClientOptions.ReleaseTimeout"/> or the lease's time: it is retried in the background until the lease
    /// expires. A second call returns the result of the first.
    /// </returns>
    public Task<LeaseResult<LeaseRelease>> ReleaseAsync() => _release.Value;

    /// <summary>Releases the lease, as <see cref="ReleaseAsync"/> does. Never throws.</summary>
    /// <returns>Completes when the service has responded, or after <see cref="LeaseClientOptions.ReleaseTimeout"/>.</returns>
    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await ReleaseAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Resource} #{Token}";
}
