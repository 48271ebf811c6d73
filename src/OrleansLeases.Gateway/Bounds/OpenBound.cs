using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Bounds;

/// <summary>
/// How much of one kind may be open at once. What comes beyond it is refused at once, for next to nothing, so that it can be asked for
/// again. Thread-safe.
/// </summary>
/// <param name="name">Its name in the contract.</param>
/// <param name="most">How much.</param>
/// <param name="logger">Told when the first is refused, and when there is room again.</param>
internal sealed partial class OpenBound(string name, int most, ILogger logger)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    // Some room between the two, so that the log is not filled at the edge.
    private readonly int _roomy = most - Math.Max(1, most / 10);
    private readonly Refusal.LimitReached _full = RefusalOf(name, most);

    private int _open;
    private int _refused;

    /// <summary>The answer to what comes beyond a bound.</summary>
    /// <param name="name">Its name in the contract.</param>
    /// <param name="most">How much it lets in.</param>
    public static Refusal.LimitReached RefusalOf(string name, int most) =>
        new(name, RetryAfter, $"'{name}' of this server is {most}, and so many are open; ask again later, or ask another server.");

    /// <summary>Lets one in.</summary>
    /// <returns>Why not; null where there is room, and then it is to <see cref="Leave"/>.</returns>
    public Refusal.LimitReached? Enter()
    {
        if (Interlocked.Increment(ref _open) <= most) return null;
        Interlocked.Decrement(ref _open);
        if (Interlocked.Increment(ref _refused) == 1) LogFull(logger, name, most);
        return _full;
    }

    /// <summary>One that was let in is over.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _open) > _roomy || Volatile.Read(ref _refused) == 0) return;
        if (Interlocked.Exchange(ref _refused, 0) is > 0 and var count) LogRoomAgain(logger, name, count);
    }

    [LoggerMessage(7303, LogLevel.Warning, "{Bound}: {Most} are open, and more are refused with limit-reached.")]
    private static partial void LogFull(ILogger logger, string bound, int most);

    [LoggerMessage(7304, LogLevel.Warning, "{Bound}: there is room again; {Count} were refused.")]
    private static partial void LogRoomAgain(ILogger logger, string bound, int count);
}
