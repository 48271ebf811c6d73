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
    public async ValueTask<LeaseLimits> AskAsync(CancellationToken cancellationToken)
    {
        if (_answered is { } answered) return answered;
        var answer = await Attempt.MakeAsync(service.InfoAsync, InfoTimeout, time, cancellationToken).ConfigureAwait(false);
        if (!answer.TryGetValue(out var info, out _)) return Usual;
        return _answered = info.Limits;
    }
}
