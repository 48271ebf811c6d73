namespace OrleansLeases.Gateway.Audit;

/// <summary>Notices that many calls are refused within a minute, which a person should look into. Thread-safe.</summary>
/// <param name="time">The clock.</param>
internal sealed class RefusalBursts(TimeProvider time)
{
    /// <summary>How many refusals in a minute are a burst.</summary>
    public const int Burst = 100;

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long? _begun;
    private int _count;

    /// <summary>Counts a refusal.</summary>
    /// <returns>Whether it makes a burst of those of this minute: once for each.</returns>
    public bool Note()
    {
        lock (_gate)
        {
            if (_begun is not { } begun || time.GetElapsedTime(begun) >= Minute) (_begun, _count) = (time.GetTimestamp(), 0);
            return ++_count == Burst;
        }
    }
}
