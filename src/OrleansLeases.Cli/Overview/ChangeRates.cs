namespace OrleansLeases.Cli.Overview;

/// <summary>Counts what a watch tells of, by second, over the last few seconds. Thread-safe.</summary>
internal sealed class ChangeRates(TimeProvider time)
{
    /// <summary>How far back a rate looks.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly long _started = time.GetTimestamp();
    private readonly Second[] _seconds = new Second[(int)Window.TotalSeconds];

    /// <summary>Counts an event; others than grants and ends are no change of who holds.</summary>
    public void Count(WatchEvent watchEvent)
    {
        if (watchEvent is not WatchEvent.LeaseChanged { Lease.Kind: var kind } || kind == LeaseEventKind.Breaking) return;
        lock (_lock)
        {
            var now = Now;
            ref var second = ref _seconds[now % _seconds.Length];
            if (second.Number != now) second = new Second { Number = now };
            if (kind == LeaseEventKind.Granted) second.Granted++;
            else if (kind == LeaseEventKind.Expired) second.Expired++;
            else second.Ended++;
        }
    }

    /// <summary>What happened a second, on average of the window or of what is over of it.</summary>
    public Rates Read()
    {
        lock (_lock)
        {
            var now = Now;
            var recent = _seconds.Where(second => second.Number > now - _seconds.Length).ToArray();
            var seconds = Math.Clamp(time.GetElapsedTime(_started).TotalSeconds, 1, Window.TotalSeconds);
            return new Rates(
                Rate(recent.Sum(second => second.Granted)), Rate(recent.Sum(second => second.Ended)),
                Rate(recent.Sum(second => second.Expired)));

            double Rate(long count) => Math.Round(count / seconds, 1);
        }
    }

    // From 1 on: a second that was never counted in is number 0.
    private long Now => (long)time.GetElapsedTime(_started).TotalSeconds + _seconds.Length;

    private struct Second
    {
        public long Number;
        public long Granted;
        public long Ended;
        public long Expired;
    }
}

/// <summary>Changes a second.</summary>
/// <param name="Granted">Grants.</param>
/// <param name="Ended">Releases, transfers and breaks.</param>
/// <param name="Expired">Leases whose deadline passed.</param>
internal sealed record Rates(double Granted, double Ended, double Expired);
