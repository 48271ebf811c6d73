using OrleansLeases.Client.Internal;

namespace OrleansLeases.Client.Holding;

/// <summary>
/// Gives back leases that are not needed any more, and grants whose response nobody received. Never throws: a failure is
/// returned as a refusal. Thread-safe.
/// </summary>
/// <param name="service">The service.</param>
/// <param name="clock">The holder's clock.</param>
/// <param name="time">The clock of pauses and limits.</param>
/// <param name="random">What makes two pauses differ.</param>
/// <param name="stopping">From then on nothing is tried twice.</param>
internal sealed class LeaseReleaser(
    ILeaseService service, HolderClock clock, TimeProvider time, Random random, CancellationToken stopping)
{
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    // A server that answers calls in time has by then read, or lost, whatever was sent before.
    private static readonly TimeSpan SecondLookAfter = CallLimit;

    /// <summary>Releases a lease, again and again until the service has answered or the lease has run out.</summary>
    /// <param name="grant">The lease.</param>
    /// <param name="endsAt">When it runs out, by the holder's clock.</param>
    public Task<LeaseResult<LeaseRelease>> ReleaseAsync(LeaseGrant grant, TimeSpan endsAt)
    {
        var request = new ReleaseRequest { Resource = grant.Resource, Owner = grant.Owner, Token = grant.Token };
        return RepeatAsync(() => AttemptAsync(stop => service.ReleaseAsync(request, stop)), endsAt);
    }

    /// <summary>Releases a lease whose grant has just come.</summary>
    public Task<LeaseResult<LeaseRelease>> ReleaseAsync(LeaseGrant grant) =>
        ReleaseAsync(grant, clock.Sample() + grant.Elapsed + grant.Remaining);

    /// <summary>
    /// Releases the grant that an acquire may have brought while its answer was lost or not waited for. Completes with the first look
    /// for it; where there is none, a second look follows in the background.
    /// </summary>
    public async Task AbandonAsync(AcquireRequest request)
    {
        request = request with { Wait = TimeSpan.Zero };
        var found = await RepeatAsync(() => AbandonOnceAsync(request), clock.Sample() + request.Ttl).ConfigureAwait(false);
        if (found.Refusal is Refusal.NotHolder) _ = Background.Run(() => LookAgainAsync(request));
    }

    // The look goes by a connection of its own, and may overtake the acquire: a server on a busy machine reads that one later.
    private async Task LookAgainAsync(AcquireRequest request)
    {
        await Task.Delay(SecondLookAfter, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!stopping.IsCancellationRequested)
            await RepeatAsync(() => AbandonOnceAsync(request), clock.Sample() + request.Ttl).ConfigureAwait(false);
    }

    private async Task<LeaseResult<LeaseRelease>> AbandonOnceAsync(AcquireRequest request)
    {
        // A repeat of the request shows whether it was granted; where this owner holds nothing, the repeat itself would be granted.
        // Decision acquires-are-looked-up.
        var state = await AttemptAsync(
            stop => service.GetAsync(new() { Resource = request.Resource, Consistent = true }, stop)).ConfigureAwait(false);
        if (!state.TryGetValue(out var info, out var refusal)) return refusal;
        if (info.Holders.All(holder => holder.Owner != request.Owner)) return NothingToReturn(info.LastToken);
        var repeat = await AttemptAsync(stop => service.AcquireAsync(request, stop)).ConfigureAwait(false);
        return repeat.TryGetValue(out var grant, out refusal)
            ? await ReleaseAsync(grant).ConfigureAwait(false)
            : refusal;
    }

    private static Refusal.NotHolder NothingToReturn(long lastToken) =>
        new Refusal.NotHolder(NotHolderReason.NeverHeld, lastToken, "The request was not granted.");

    private Task<LeaseResult<T>> AttemptAsync<T>(Func<CancellationToken, ValueTask<LeaseResult<T>>> call)
        where T : class => Attempt.MakeAsync(call, CallLimit, time, CancellationToken.None);

    private async Task<LeaseResult<LeaseRelease>> RepeatAsync(Func<Task<LeaseResult<LeaseRelease>>> attempt, TimeSpan until)
    {
        var pauses = new Backoff(ShortestPause, LongestPause, random);
        while (true)
        {
            var result = await attempt().ConfigureAwait(false);
            if (result.Refusal is not (Refusal.Unavailable or Refusal.OutcomeUnknown)) return result;
            var left = until - clock.Sample();
            if (stopping.IsCancellationRequested || left <= ShortestPause) return result;
            var pause = pauses.Next(result.Refusal);
            await Task.Delay(pause < left / 2 ? pause : left / 2, time, CancellationToken.None).ConfigureAwait(false);
        }
    }
}
