namespace OrleansLeases.Client.Internal;

/// <summary>
/// How long to pause before a call is made again: longer each time, no shorter than the response requested, and never the same
/// for two clients that lost one server at one moment.
/// </summary>
/// <param name="shortest">The first pause.</param>
/// <param name="longest">The longest pause.</param>
/// <param name="random">What makes two pauses differ.</param>
internal sealed class Backoff(TimeSpan shortest, TimeSpan longest, Random random)
{
    private TimeSpan _last;

    /// <summary>The next pause: up to half as long again as the longest.</summary>
    /// <param name="refusal">What the last call came to; its <c>RetryAfter</c> is heeded, within the longest pause.</param>
    public TimeSpan Next(Refusal? refusal = null)
    {
        var requested = refusal switch
        {
            Refusal.Unavailable unavailable => unavailable.RetryAfter,
            Refusal.LimitReached limit => limit.RetryAfter,
            Refusal.Held held => held.RetryAfter,
            _ => TimeSpan.Zero,
        };
        _last = Min(_last == TimeSpan.Zero ? shortest : _last * 2, longest);
        var pause = Min(requested > _last ? requested : _last, longest);
        return pause * (1 + (random.NextDouble() / 2));
    }

    /// <summary>Begins again with the shortest pause: all was well.</summary>
    public void Reset() => _last = TimeSpan.Zero;

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
