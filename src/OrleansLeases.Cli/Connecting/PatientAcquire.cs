namespace OrleansLeases.Cli.Connecting;

/// <summary>An acquire's answer, and when the call that brought it was sent: where a holder's deadline counts from.</summary>
internal readonly record struct AcquireAnswer(LeaseResult<LeaseGrant> Result, TwinInstant SentAt);

/// <summary>
/// Acquires with a wait longer than one call allows: the request id keeps the place in line from call to call,
/// and across answers that say nothing.
/// </summary>
internal sealed class PatientAcquire(ILeaseService service, TimeProvider time)
{
    private static readonly TimeSpan LongestWaitOfACall = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(2);

    public async Task<AcquireAnswer> AcquireAsync(AcquireRequest request, TimeSpan wait, CancellationToken cancellationToken)
    {
        var ownId = request.RequestId is null;
        request = request with { RequestId = request.RequestId ?? NewRequestId() };
        var started = time.GetTimestamp();
        var pause = ShortestPause;
        while (true)
        {
            var asked = Clamp(wait - time.GetElapsedTime(started), TimeSpan.Zero, LongestWaitOfACall);
            var sentAt = TwinInstant.Now(time);
            var result = await service.AcquireAsync(request with { Wait = asked }, cancellationToken);
            var left = wait - time.GetElapsedTime(started);
            if (result.Refusal is not { } refusal || left <= TimeSpan.Zero) return new(result, sentAt);

            var answeredAfterWaiting = time.GetElapsedTime(sentAt.Timestamp) >= asked - ShortestPause;
            switch (refusal)
            {
                case Refusal.Held when answeredAfterWaiting && asked > TimeSpan.Zero:
                    continue;
                case Refusal.Held held:
                    pause = Clamp(held.RetryAfter, ShortestPause, LongestPause);
                    break;
                case Refusal.Unavailable or Refusal.OutcomeUnknown:
                    pause = Clamp(pause * 2, ShortestPause, LongestPause);
                    break;
                case Refusal.NotHolder when ownId:
                    // The grant was made while its answer was lost, and has ended since: this id is spent.
                    request = request with { RequestId = NewRequestId() };
                    break;
                default:
                    return new(result, sentAt);
            }

            await Task.Delay(Clamp(pause, TimeSpan.Zero, left), time, cancellationToken);
        }
    }

    private static string NewRequestId() => Guid.NewGuid().ToString("N");

    private static TimeSpan Clamp(TimeSpan value, TimeSpan min, TimeSpan max) => value < min ? min : value > max ? max : value;
}
