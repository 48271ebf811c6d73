using System.Diagnostics.Metrics;

namespace OrleansLeases.Core;

/// <summary>
/// What the keepers of one host count. Totals are numbers here, which a collector reads when it wants them: to count a renewal costs next
/// to nothing, and one that comes late misses nothing. Decision totals-are-numbers-that-are-read. Thread-safe.
/// </summary>
internal sealed class KeeperMetrics
{
    private static readonly KeyValuePair<string, object?> Stored = Tags.Of(Tags.Renewal, "stored");
    private static readonly KeyValuePair<string, object?> InMemory = Tags.Of(Tags.Renewal, "memory");
    private static readonly KeyValuePair<string, object?> Refused = Tags.Of(Tags.Renewal, "refused");

    private readonly Counter<long> _ends;
    private readonly Histogram<double> _durations;
    private readonly Histogram<double> _delays;
    private readonly Histogram<double> _waits;
    private long _held;
    private long _waiters;
    private long _renewalsStored;
    private long _renewalsInMemory;
    private long _renewalsRefused;

    public KeeperMetrics(Meter meter, StoreMetrics store)
    {
        Store = store;
        meter.CreateObservableUpDownCounter(
            "leases.held", () => HeldNow, "{lease}", "Leases in force, so far as this process has met them.");
        meter.CreateObservableUpDownCounter(
            "leases.queue.waiters", () => WaitingNow, "{request}", "Acquires that have a place in a queue.");
        meter.CreateObservableCounter<long>(
            "leases.renewals",
            () =>
            [
                new(Interlocked.Read(ref _renewalsStored), Stored),
                new(Interlocked.Read(ref _renewalsInMemory), InMemory),
                new(Interlocked.Read(ref _renewalsRefused), Refused),
            ],
            "{renewal}",
            "Renewals, by whether they had to be stored.");
        _ends = meter.CreateCounter<long>("leases.ends", "{lease}", "Leases that have ended, by how.");
        _durations = meter.CreateDuration(
            "leases.lease.duration", "How long a lease was held, from its grant to its end.",
            0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400);
        _delays = meter.CreateDuration(
            "leases.expiry.delay", "How long after its deadline the end of an expired lease was stored.",
            0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60);
        _waits = meter.CreateDuration(
            "leases.queue.duration", "How long an acquire had a place in a queue.",
            0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3_600);
    }

    public StoreMetrics Store { get; }

    /// <summary>How many leases are in force, so far as this process has met them.</summary>
    public long HeldNow => Interlocked.Read(ref _held);

    /// <summary>How many acquires have a place in a queue.</summary>
    public long WaitingNow => Interlocked.Read(ref _waiters);

    /// <summary>Shows how many leases that ended have keys left.</summary>
    public static void Observe(Meter meter, KeyCleaner cleaner) => meter.CreateObservableUpDownCounter(
        "leases.cleanups.outstanding", () => cleaner.Outstanding, "{lease}", "Leases that have ended and have keys left to clean up.");

    public void Held(int more) => Interlocked.Add(ref _held, more);

    public void Waiting(int more) => Interlocked.Add(ref _waiters, more);

    public void Waited(TimeSpan wait, string outcome) => _waits.Note(wait.TotalSeconds, Tags.Of(Tags.Outcome, outcome));

    public void Renewed(bool stored) => Interlocked.Increment(ref stored ? ref _renewalsStored : ref _renewalsInMemory);

    public void RenewalRefused() => Interlocked.Increment(ref _renewalsRefused);

    /// <summary>Counts what one command has changed, once that is stored.</summary>
    public void Advanced(LeaseState before, LeaseState next, LeaseClock clock)
    {
        if (next.Log.Last == before.Log.Last || !(_ends.Enabled || _durations.Enabled || _delays.Enabled)) return;
        foreach (var (_, entry) in next.Log.After(before.Log.Last))
        {
            if (WordOf(entry.Kind) is not { } how) continue;
            var end = Tags.Of(Tags.End, how);
            _ends.Count(1, end);
            if (_durations.Enabled && GrantOf(entry.Token, next.Log) is { } granted)
                _durations.Note(Math.Max(0, (entry.At - granted).TotalSeconds), end);
            if (entry.Kind == LeaseEventKind.Expired) _delays.Note(Math.Max(0, (clock.Read().Latest - entry.At).TotalSeconds));
        }
    }

    private static string? WordOf(LeaseEventKind kind) => kind switch
    {
        LeaseEventKind.Released => "released",
        LeaseEventKind.Expired => "expired",
        LeaseEventKind.Transferred => "transferred",
        LeaseEventKind.Broken => "broken",
        _ => null,
    };

    // Null where the log has forgotten it.
    private static TimeSpan? GrantOf(long token, BlockLog<LogEntry> log)
    {
        foreach (var entry in log.NewestFirst())
            if (entry.Kind == LeaseEventKind.Granted && entry.Token == token) return entry.At;
        return null;
    }
}
