using OrleansLeases.Client.Internal;

namespace OrleansLeases.Client.Holding;

/// <summary>
/// One acquire with a wait that may be longer than one call allows: the request id keeps the place in the queue from call to
/// call, and across answers that say nothing. Used once.
/// </summary>
internal sealed class AcquireLoop(
    ILeaseService service, HolderClock clock, TimeProvider time, Random random, AcquireRequest request, TimeSpan longestWait)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    // Some reasons differ from call to call, such as the number of an entry in a server's log.
    private static readonly TimeSpan ShortestSilence = TimeSpan.FromMinutes(1);

    private bool _askedAnew;
    private bool _fittedAnew;
    private Refusal? _reported;
    private long? _reportedAt;
    private Refusal? _unknown;

    /// <summary>The request id was made here: no other caller can have received a grant under it.</summary>
    public bool HasOwnId { get; } = request.RequestId is null;

    /// <summary>
    /// Called where the service does not respond to the acquire, which is retried, and again when it gives another reason; a minute
    /// after the last time at the earliest. May be null.
    /// </summary>
    public Action<Refusal>? Troubled { get; init; }

    /// <summary>Called where the service responds after <see cref="Troubled"/> was called; may be null.</summary>
    public Action? Answered { get; init; }

    /// <summary>Whose <see cref="LeaseLimits.MaxHolders"/> bounds the capacity that is asked for; null where nothing does.</summary>
    public ServiceLimits? FitsInto { get; init; }

    /// <summary>The last request.</summary>
    public AcquireRequest Request { get; private set; } = request with { RequestId = request.RequestId ?? RequestIds.New() };

    /// <summary>When the last call was sent, by the holder's clock: where a holder's deadline counts from.</summary>
    public TimeSpan SentAt { get; private set; }

    /// <summary>The service may have made a grant whose response nobody received.</summary>
    public bool MayHaveGranted { get; private set; }

    /// <summary>Repeats the request until there is a grant, a final refusal, or no time left.</summary>
    /// <param name="wait">How long to wait in the queue.</param>
    /// <param name="cancellationToken">Leaves the queue.</param>
    public async ValueTask<LeaseResult<LeaseGrant>> AskAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var pauses = new Backoff(ShortestPause, LongestPause, random);
        while (true)
        {
            var unfit = await FitAsync(anew: false, cancellationToken).ConfigureAwait(false);
            var callWait = Clamp(wait - time.GetElapsedTime(started), TimeSpan.Zero, longestWait);
            var sent = time.GetTimestamp();
            var result = unfit is null
                ? await CallAsync(Request with { Wait = callWait }, cancellationToken).ConfigureAwait(false)
                : unfit;
            if (_reported is not null && result.Refusal is not (Refusal.Unavailable or Refusal.OutcomeUnknown))
            {
                _reported = null;
                Answered?.Invoke();
            }

            if (result.Refusal is Refusal.OutcomeUnknown) _unknown ??= result.Refusal;
            MayHaveGranted = _unknown is not null && ChangeOutcome.IsUnsettled(result.Refusal, afterUnknown: true);
            if (!MayHaveGranted) _unknown = null;
            var spent = HasOwnId && result.Refusal is Refusal.NotHolder;
            if (spent)
            {
                // The grant was made, its response was lost, and it has ended since. That may be within this one call, at the
                // first of several servers; so a request without time to wait is repeated as well, once.
                StartAnew();
                if (!_askedAnew)
                {
                    _askedAnew = true;
                    continue;
                }
            }

            if (result.Refusal is not { } refusal) return result;
            if (await FitsAnewAsync(refusal, cancellationToken).ConfigureAwait(false)) continue;
            // Whatever the last response: an earlier request may have been granted.
            if (time.GetElapsedTime(started) >= wait) return _unknown ?? refusal;
            switch (refusal)
            {
                case Refusal.Held when callWait > TimeSpan.Zero && time.GetElapsedTime(sent) >= callWait - ShortestPause:
                    continue;
                case Refusal.Held:
                    pauses.Reset();
                    break;
                case Refusal.Unavailable or Refusal.OutcomeUnknown:
                    Tell(refusal);
                    break;
                case Refusal.NotHolder when spent:
                    break;
                default:
                    return _unknown ?? refusal;
            }

            var rest = Clamp(wait - time.GetElapsedTime(started), TimeSpan.Zero, pauses.Next(refusal));
            // A delay counts whole milliseconds: rounded down, the last one would pass in one call after the other.
            rest = TimeSpan.FromMilliseconds(Math.Ceiling(rest.TotalMilliseconds));
            await Task.Delay(rest, time, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Requests another grant from now on, under a new request id.</summary>
    public void StartAnew() => Request = Request with { RequestId = RequestIds.New() };

    private void Tell(Refusal trouble)
    {
        if (_reported?.Detail == trouble.Detail || (_reportedAt is { } before && time.GetElapsedTime(before) < ShortestSilence)) return;
        (_reported, _reportedAt) = (trouble, time.GetTimestamp());
        Troubled?.Invoke(trouble);
    }

    // Over HTTP a grant may come after the call was given up, and is then given back if nobody else can know the request id.
    private ValueTask<LeaseResult<LeaseGrant>> CallAsync(AcquireRequest asked, CancellationToken cancellationToken)
    {
        SentAt = clock.Sample();
        MayHaveGranted = true;
        return service is HttpLeaseService http
            ? http.AcquireAsync(asked, HasOwnId, cancellationToken)
            : service.AcquireAsync(asked, cancellationToken);
    }

    /// <summary>Makes the capacity fit; where the service does not tell what fits, returns why. A guess would be a conflict.</summary>
    private async ValueTask<Refusal?> FitAsync(bool anew, CancellationToken cancellationToken)
    {
        if (FitsInto is null || request.Capacity is not { } wanted) return null;
        var answer = await FitsInto.TryAskAsync(anew, cancellationToken).ConfigureAwait(false);
        if (answer.TryGetValue(out var limits, out var unanswered))
        {
            Request = Request with { Capacity = Math.Min(wanted, limits.MaxHolders) };
            return null;
        }

        // Nothing was asked for that could have been granted.
        return unanswered is Refusal.OutcomeUnknown ? new Refusal.Unavailable(TimeSpan.Zero, unanswered.Detail) : unanswered;
    }

    /// <summary>Whether a capacity that was refused is another one by now: the service may have been configured anew, once.</summary>
    private async ValueTask<bool> FitsAnewAsync(Refusal refusal, CancellationToken cancellationToken)
    {
        var isOfCapacity =
            refusal is Refusal.Conflict || (refusal is Refusal.InvalidRequest invalid && invalid.Errors.ContainsKey("capacity"));
        if (FitsInto is null || !isOfCapacity || _fittedAnew) return false;
        _fittedAnew = true;
        var refused = Request.Capacity;
        return await FitAsync(anew: true, cancellationToken).ConfigureAwait(false) is null && Request.Capacity != refused;
    }

    private static TimeSpan Clamp(TimeSpan value, TimeSpan min, TimeSpan max) => value > max ? max : value < min ? min : value;
}
