namespace OrleansLeases.Client.Holding;

/// <summary>The limits of a service, requested once; the defaults until it has responded. Thread-safe.</summary>
internal sealed class ServiceLimits(ILeaseService service, TimeProvider time)
{
    private static readonly TimeSpan InfoTimeout = TimeSpan.FromSeconds(2);
    private static readonly LeaseLimits Usual = new();

    private volatile LeaseLimits? _answered;

    /// <summary>What is known of them.</summary>
    public LeaseLimits Known => _answered ?? Usual;

    /// <summary>Asks, unless the service has answered before.</summary>
    public async ValueTask<LeaseLimits> AskAsync(CancellationToken cancellationToken) =>
        (await TryAskAsync(anew: false, cancellationToken).ConfigureAwait(false)).TryGetValue(out var limits, out _) ? limits : Usual;

    /// <summary>Asks, unless the service has answered before; where it does not answer, the result is why.</summary>
    /// <param name="anew">Asks in any case: the service may have been configured anew.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    public async ValueTask<LeaseResult<LeaseLimits>> TryAskAsync(bool anew, CancellationToken cancellationToken)
    {
        if (!anew && _answered is { } answered) return answered;
        var answer = await Attempt.MakeAsync(service.InfoAsync, InfoTimeout, time, cancellationToken).ConfigureAwait(false);
        if (!answer.TryGetValue(out var info, out var refusal)) return refusal;
        return _answered = info.Limits;
    }
}
