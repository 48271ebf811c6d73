using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Bounds;

/// <summary>What the process may use of memory, in bytes, and uses.</summary>
internal readonly record struct MemoryReading(long Used, long Available);

/// <summary>
/// Refuses what would take more memory while the process uses nearly all that it may: it could be ended by the next call of anybody
/// otherwise. Thread-safe.
/// </summary>
/// <param name="percent">How much of what is available may be used; 100 refuses nothing.</param>
/// <param name="read">Reads what is used. It may count what nobody uses any more.</param>
/// <param name="collect">Has it collected.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Told when the first is refused, and when there is room again.</param>
internal sealed partial class MemoryBound(
    int percent, Func<MemoryReading> read, Action collect, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan CollectEvery = TimeSpan.FromSeconds(2);

    private readonly Refusal.LimitReached _full = new(
        "memory",
        TimeSpan.FromSeconds(1),
        $"This server uses {percent} % of its memory, and takes nothing more on until it uses less; renewals and releases go on. Ask again "
        + "later, or ask another server.");

    private readonly long _start = time.GetTimestamp();
    private long _lookAt;
    private TimeSpan _collectAt;
    private volatile bool _isFull;

    /// <summary>The memory of this process, as the collector of garbage sees it: within its container, if it is in one.</summary>
    public static MemoryReading OfProcess() => new(GC.GetTotalMemory(forceFullCollection: false), Available);

    /// <summary>The memory that this process may use, in bytes.</summary>
    public static long Available { get; } = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>Says why nothing more is taken on; null where it is.</summary>
    public Refusal.LimitReached? Refuse()
    {
        if (percent >= 100) return null;
        var (now, at) = (time.GetElapsedTime(_start), Volatile.Read(ref _lookAt));
        if (now.Ticks >= at && Interlocked.CompareExchange(ref _lookAt, (now + LookEvery).Ticks, at) == at) Look(now);
        return _isFull ? _full : null;
    }

    // By one call at a time, the one that found it due.
    private void Look(TimeSpan now)
    {
        var (used, available) = read();
        var isFull = used >= available / 100 * percent;
        if (isFull && now >= _collectAt)
        {
            // Much of it may be nobody's any more; what refuses everything allocates too little for the collector to find out by itself.
            _collectAt = now + CollectEvery;
            collect();
        }

        if (isFull == _isFull) return;
        _isFull = isFull;
        if (isFull) LogFull(logger, used >> 20, available >> 20);
        else LogRoomAgain(logger);
    }

    [LoggerMessage(
        7305, LogLevel.Warning,
        "memory: {Used} MiB of {Available} MiB are used; until it is less, all but renewals and releases is refused with limit-reached.")]
    private static partial void LogFull(ILogger logger, long used, long available);

    [LoggerMessage(7306, LogLevel.Warning, "memory: there is room again.")]
    private static partial void LogRoomAgain(ILogger logger);
}
