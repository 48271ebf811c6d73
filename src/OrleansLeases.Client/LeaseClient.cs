using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Client.Holding;
using OrleansLeases.Client.Telemetry;

namespace OrleansLeases.Client;

/// <summary>
/// Acquires leases from a service and renews them until they are released. One client for each process is enough: it renews all of
/// its leases together, in batches. Thread-safe.
/// </summary>
/// <remarks>
/// From its first lease on it has one thread of its own, which watches deadlines. With a clock other than the system's it uses the
/// timers of that clock instead, so that a test which advances the clock sees every deadline on time.
/// </remarks>
public sealed class LeaseClient : IAsyncDisposable
{
    private readonly LeaseClientOptions _options;
    private readonly TimeProvider _time;
    private readonly HolderClock _clock;
    private readonly ILogger _logger;
    private readonly RefusalNotes _refusals;
    private readonly ServiceLimits _limits;
    private readonly HeldLeases _held;
    private readonly LeaseReleaser _releaser;
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentDictionary<Task, bool> _background = new();
    private readonly ConcurrentDictionary<Task, bool> _guarded = new();
    private int _owners;
    private volatile bool _disposed;

    /// <summary>Creates a client. Nothing is called yet.</summary>
    /// <param name="service">The service. It stays the caller's, to be disposed of after the client.</param>
    /// <param name="options">How it behaves; the defaults where left out.</param>
    /// <param name="time">Its clock; the system's where left out.</param>
    /// <param name="logger">Logs each lost lease, and renewals that begin and cease to fail; nothing is logged where left out.</param>
    /// <exception cref="ArgumentNullException"><paramref name="service"/> is null.</exception>
    /// <exception cref="ArgumentException">An option is out of bounds; the message names it.</exception>
    public LeaseClient(
        ILeaseService service, LeaseClientOptions? options = null, TimeProvider? time = null, ILogger<LeaseClient>? logger = null)
        : this(service, options ?? new(), time ?? TimeProvider.System, HolderClock.Of(time ?? TimeProvider.System), Random.Shared, logger)
    {
    }

    internal LeaseClient(
        ILeaseService service, LeaseClientOptions options, TimeProvider time, HolderClock clock, Random random, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(service);
        options.Validate();
        Service = service;
        Random = random;
        (_options, _time, _clock, _logger) = (options, time, clock, logger ?? NullLogger.Instance);
        _refusals = new(_logger, _time);
        _limits = new(service, _time);
        _held = new(new RenewalCalls(service, _limits, _time), _clock, _time, _logger, ClientMetrics.Of(options.MeterFactory));
        _releaser = new(service, _clock, _time, random, _stopping.Token);
    }

    /// <summary>The service that grants the leases.</summary>
    public ILeaseService Service { get; }

    /// <summary>The owner of the leases of this client, unless an acquire names another one.</summary>
    public string Owner => _options.Owner;

    internal TimeProvider Time => _time;

    /// <summary>What makes the pauses and renewals of two clients differ.</summary>
    internal Random Random { get; }

    internal TimeSpan Now => _clock.Now();

    internal int RenewalsUnderWay => _held.UnderWay;

    /// <summary>How many leases are held, and how many of them could not be renewed at the last attempt.</summary>
    internal (int Held, int NotRenewed) Counts => _held.Counts;

    /// <summary>Acquires a lease; waits in the queue without a limit.</summary>
    /// <param name="resource">The resource: 1 to 512 bytes of UTF-8, a path such as <c>orders/42</c>.</param>
    /// <param name="options">The kind of lease; an exclusive one of 30 s where left out.</param>
    /// <param name="cancellationToken">Leaves the queue; a grant made meanwhile is released.</param>
    /// <returns>The lease. Dispose it to release it.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="resource"/> is null.</exception>
    /// <exception cref="LeaseRefusedException">The request is malformed, not allowed, or beyond a bound of the service.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<LeaseHandle> AcquireAsync(
        string resource, LeaseOptions? options = null, CancellationToken cancellationToken = default)
    {
        var result = await RequestAsync(
            ToRequest(resource, options), Timeout.InfiniteTimeSpan, options, cancellationToken).ConfigureAwait(false);
        return result.TryGetValue(out var lease, out var refusal) ? lease : throw new LeaseRefusedException(refusal);
    }

    /// <summary>Acquires a lease, unless another owner holds it.</summary>
    /// <param name="resource">The resource: 1 to 512 bytes of UTF-8, a path such as <c>orders/42</c>.</param>
    /// <param name="wait">How long to wait in the queue for it; 0 by default, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="options">The kind of lease; an exclusive one of 30 s where left out.</param>
    /// <param name="cancellationToken">Leaves the queue; a grant made meanwhile is released.</param>
    /// <returns>The lease, or null where it is held by others. Dispose it to release it.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="resource"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative and not infinite.</exception>
    /// <exception cref="LeaseRefusedException">The request was refused for another reason, or the service cannot be reached.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async ValueTask<LeaseHandle?> TryAcquireAsync(
        string resource, TimeSpan wait = default, LeaseOptions? options = null, CancellationToken cancellationToken = default)
    {
        var result = await RequestAsync(ToRequest(resource, options), wait, options, cancellationToken).ConfigureAwait(false);
        if (result.TryGetValue(out var lease, out var refusal)) return lease;
        return refusal is Refusal.Held ? null : throw new LeaseRefusedException(refusal);
    }

    /// <summary>Acquires a lease as the request says, with refusals returned as values.</summary>
    /// <param name="request">
    /// The request; its own <see cref="AcquireRequest.Wait"/> is ignored. With a request id of the caller's it is applied once,
    /// also where several callers send it; a grant that this call no longer receives is then left to the others, or to expire.
    /// </param>
    /// <param name="wait">How long to wait in the queue for it, 0 or more, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Leaves the queue; a grant made meanwhile is released if this client made the request id.</param>
    /// <returns>
    /// The lease, or the last refusal. While there is time to wait, the request is repeated with the same request id where the service
    /// cannot be reached or a response is lost.
    /// </returns>
    /// <exception cref="ArgumentNullException"><paramref name="request"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="wait"/> is negative and not infinite.</exception>
    /// <exception cref="ObjectDisposedException">The client has been disposed of.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask<LeaseResult<LeaseHandle>> RequestAsync(
        AcquireRequest request, TimeSpan wait, CancellationToken cancellationToken = default) =>
        RequestAsync(request, wait, options: null, cancellationToken);

    /// <summary>
    /// Stops renewing and acquiring. Leases that are still held expire at their deadlines and are lost then, since work under them may
    /// still run. Waits for the releases under way, at most <see cref="LeaseClientOptions.ReleaseTimeout"/>.
    /// </summary>
    /// <returns>Completes when that is done.</returns>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        _held.Close();
        await Task.WhenAll(_background.Keys).WaitAsync(_options.ReleaseTimeout, _time).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing);
        await _stopping.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Releases all leases that are held, for an application that stops: each is lost first. Work that a recipe awaits releases its lease
    /// with its end; where that does not come, the lease expires. From then on the client acquires and renews nothing. Hosts do it with
    /// their clients of <c>AddLeasesClient</c> once their services have stopped; silos and Orleans clients do it with theirs.
    /// </summary>
    /// <param name="cancellationToken">There is no more time for that: what is left is released in the background, or expires.</param>
    /// <returns>Completes when the service has responded to all releases, or the token is cancelled. Never throws.</returns>
    public async Task ReleaseAllAsync(CancellationToken cancellationToken = default)
    {
        _held.Close();
        var lost = _held.LoseAllAsync(lease => GiveBack(lease.Grant, _clock.Sample() + lease.Grant.Ttl));
        await DoneAsync([lost, .. _guarded.Keys]).ConfigureAwait(false);
        await DoneAsync(_background.Keys).ConfigureAwait(false);

        async Task DoneAsync(IEnumerable<Task> work) =>
            await Task.WhenAll(work).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// Takes up a lease that its owner has without this client, such as one that was transferred to it: renews it by its token.
    /// </summary>
    internal async ValueTask<LeaseResult<LeaseHandle>> TakeUpAsync(
        string resource, string owner, long token, LeaseMode mode, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _held.StartAsking();
        try
        {
            var sentAt = _clock.Sample();
            var request = new RenewRequest { Resource = resource, Owner = owner, Token = token };
            var result = await Service.RenewAsync(request, cancellationToken).ConfigureAwait(false);
            if (!result.TryGetValue(out var renewal, out var refusal)) return refusal;
            var grant = new LeaseGrant
            {
                Resource = resource, Owner = owner, Token = token, Mode = mode, Ttl = renewal.Ttl, Remaining = renewal.Remaining,
                Elapsed = renewal.Elapsed, RenewAfter = renewal.RenewAfter, RequestId = "",
            };
            var lease = new HeldLease(grant, sentAt, _clock.Sample(), Random, _options.ClockDrift);
            ObjectDisposedException.ThrowIf(!_held.TryAdd(lease), this);
            return new LeaseHandle(this, lease);
        }
        finally
        {
            _held.EndAsking();
        }
    }

    /// <summary>Keeps track of work under a lease that releases it with its end.</summary>
    internal void Guards(Task work) => GoOn(work, _guarded);

    internal LostSource? SourceOf(HeldLease lease, ref LostSource? known) => _held.SourceOf(lease, this, ref known);

    internal LeaseLoss LossAtTheEndOf(HeldLease lease) => _held.LossAtTheEndOf(lease);

    internal Task NextChangeOf(HeldLease lease) => _held.NextChangeOf(lease);

    /// <summary>Stops renewing a lease whose handle was garbage-collected.</summary>
    internal void LetGo(HeldLease lease)
    {
        if (!_held.LetGo(lease)) Abandon(lease, source: null);
    }

    /// <summary>Ends a lease without a handle.</summary>
    internal void Abandon(HeldLease lease, LostSource? source) =>
        _held.Abandon(lease, source, () => GiveBack(lease.Grant, _clock.Sample() + lease.Grant.Ttl));

    internal async Task<LeaseResult<LeaseRelease>> ReleaseAsync(HeldLease lease)
    {
        if (_held.End(lease) is not { } endsAt)
        {
            // The service may have renewed it, and the response was lost: a release spares others the wait for that deadline.
            if (lease.Loss is { DecidedLocally: true }) GiveBack(lease.Grant, _clock.Sample());
            return new Refusal.NotHolder(lease.Loss!.Reason, lease.Grant.Token, lease.Loss.Detail);
        }

        var release = _releaser.ReleaseAsync(lease.Grant, endsAt);
        var limit = TimeSpan.FromTicks(Math.Clamp((endsAt - _clock.Sample()).Ticks, 0, _options.ReleaseTimeout.Ticks));
        try
        {
            return await release.WaitAsync(limit, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            GoOn(release);
            return new Refusal.OutcomeUnknown(null, $"The service did not answer within {limit.TotalSeconds:0.###} s.");
        }
    }

    private async ValueTask<LeaseResult<LeaseHandle>> RequestAsync(
        AcquireRequest request, TimeSpan wait, LeaseOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (wait == Timeout.InfiniteTimeSpan) wait = TimeSpan.MaxValue;
        ArgumentOutOfRangeException.ThrowIfLessThan(wait, TimeSpan.Zero);
        ObjectDisposedException.ThrowIf(_disposed, this);

        // Before the first await: after it the stack no longer shows the caller.
        var takenIn = _logger.IsEnabled(LogLevel.Warning) ? CallSite.OfCaller() : null;
        _held.StartAsking();
        try
        {
            var result = LeaseTracing.IsOn
                ? await TraceAsync(request, wait, options, takenIn, cancellationToken).ConfigureAwait(false)
                : await KeepAskingAsync(request, wait, options, takenIn, cancellationToken).ConfigureAwait(false);
            if (result.Refusal is { } refusal) _refusals.Note(request, refusal);
            return result;
        }
        finally
        {
            _held.EndAsking();
        }
    }

    private ValueTask<LeaseResult<LeaseHandle>> TraceAsync(
        AcquireRequest request, TimeSpan wait, LeaseOptions? options, string? takenIn, CancellationToken cancellationToken) =>
        CallTrace.RunAsync("Handle", () => KeepAskingAsync(request, wait, options, takenIn, cancellationToken));

    private async ValueTask<LeaseResult<LeaseHandle>> KeepAskingAsync(
        AcquireRequest request, TimeSpan wait, LeaseOptions? options, string? takenIn, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var longestWait = wait > TimeSpan.Zero ? (await _limits.AskAsync(cancellationToken).ConfigureAwait(false)).MaxWait : TimeSpan.Zero;
        var asking = new AcquireLoop(Service, _clock, _time, Random, request, longestWait)
        {
            Troubled = refusal => _logger.NotAnswered(request.Resource, request.Owner, refusal.Detail),
            Answered = () => _logger.AnsweredAgain(request.Resource, request.Owner),
            FitsInto = options is { FitsCapacity: true } ? _limits : null,
        };
        while (true)
        {
            var result = await AskAsync(asking, wait - _time.GetElapsedTime(started), cancellationToken).ConfigureAwait(false);
            if (!result.TryGetValue(out var grant, out var refusal)) return refusal;

            var now = _clock.Sample();
            var lease = new HeldLease(grant, asking.SentAt, now, Random, _options.ClockDrift, options?.MaxHold, takenIn);
            if (lease.EndsAt > now)
            {
                if (_held.TryAdd(lease))
                    return new LeaseHandle(this, lease) { GrantTrace = LeaseTracing.IsOn ? Activity.Current?.Id : null };
                if (asking.HasOwnId) GiveBack(grant, lease.EndsAt);
                throw new ObjectDisposedException(nameof(LeaseClient));
            }

            if (asking.HasOwnId) GiveBack(grant, now);
            if (!asking.HasOwnId || _time.GetElapsedTime(started) >= wait)
                return new Refusal.Unavailable(
                    TimeSpan.Zero,
                    $"The lease on '{request.Resource}' had run out when its grant arrived; choose a ttl well above the round trip.");
            asking.StartAnew();
        }
    }

    private async ValueTask<LeaseResult<LeaseGrant>> AskAsync(AcquireLoop asking, TimeSpan wait, CancellationToken cancellationToken)
    {
        try
        {
            return await asking.AskAsync(wait, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Under a request id of the caller's, another caller may have received the grant and rely on it.
            if (asking is { MayHaveGranted: true, HasOwnId: true }) GoOn(Background.Run(() => _releaser.AbandonAsync(asking.Request)));
        }
    }

    private AcquireRequest ToRequest(string resource, LeaseOptions? options)
    {
        ArgumentNullException.ThrowIfNull(resource);
        options ??= new();
        return options.ToRequest(
            resource, options.Owner ?? (options.Mode == LeaseMode.Shared ? $"{Owner}/{Interlocked.Increment(ref _owners)}" : Owner));
    }

    /// <summary>Releases a lease in the background.</summary>
    private void GiveBack(LeaseGrant grant, TimeSpan endsAt) => GoOn(Background.Run(() => _releaser.ReleaseAsync(grant, endsAt)));

    /// <summary>Keeps track of work that no caller awaits, for <see cref="DisposeAsync"/>.</summary>
    private void GoOn(Task work) => GoOn(work, _background);

    private static void GoOn(Task work, ConcurrentDictionary<Task, bool> among)
    {
        if (work.IsCompleted) return;
        among.TryAdd(work, true);
        _ = work.ContinueWith(
            (done, among) => ((ConcurrentDictionary<Task, bool>)among!).TryRemove(done, out _), among, TaskScheduler.Default);
    }
}
