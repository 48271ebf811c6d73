using System.Diagnostics.Metrics;
using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>What the keepers count of their store, and the store of its batches. Thread-safe.</summary>
internal sealed class StoreMetrics
{
    public const string Load = "load";
    public const string Save = "save";

    // A load and a save in one, for a name of which nothing is known.
    public const string Add = "add";
    public const string Drop = "drop";
    private const string Failed = "failed";

    // A ttl of a few seconds is short of that, and most are longer.
    private static readonly TimeSpan SlowFrom = TimeSpan.FromSeconds(1);

    private static readonly StorageTroubleKind[] Kinds = Enum.GetValues<StorageTroubleKind>();

    private readonly TimeProvider _time;
    private readonly Histogram<double> _durations;
    private readonly Counter<long> _conflicts;
    private readonly Histogram<int> _batches;

    /// <param name="meter">The meter.</param>
    /// <param name="time">What a store takes: real time, whatever clock the leases are under.</param>
    public StoreMetrics(Meter meter, TimeProvider time)
    {
        _time = time;
        _durations = meter.CreateDuration(
            "leases.store.duration", "How long the store took to load, save or drop a record, its wait for a batch included.",
            0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10);
        _conflicts = meter.CreateCounter<long>(
            "leases.store.conflicts", "{save}", "Saves that found another version of the record than the keeper knew.");
        _batches = meter.CreateSize("leases.store.batch.size", "{record}", "How many records went to the store together.");
    }

    /// <summary>Is told of what has taken long, and how long; null where nobody wants to know.</summary>
    public Action<string, TimeSpan>? Slow { get; init; }

    public long Start() => _durations.Enabled || Slow is not null ? _time.GetTimestamp() : 0;

    public void Loaded(long start, bool failed) => Record(start, Load, failed ? Failed : Tags.Ok);

    public void Saved(long start, SaveOutcome outcome)
    {
        Record(start, Save, WordOf(outcome));
        if (outcome == SaveOutcome.Conflict) _conflicts.Count(1);
    }

    // What it finds is no conflict: there it is a load.
    public void AddedOrLoaded(long start, SaveOutcome outcome) => Record(start, Add, WordOf(outcome));

    public void Dropped(long start, SaveOutcome outcome) => Record(start, Drop, WordOf(outcome));

    public void Batched(string operation, int records) => _batches.Note(records, Tags.Of(Tags.StoreOperation, operation));

    /// <summary>Shows the trouble of a store, and how much it has where it says so.</summary>
    public static void Observe(Meter meter, IRecordStore store)
    {
        meter.CreateObservableGauge(
            "leases.store.trouble",
            () =>
            {
                var trouble = store.Trouble?.Kind;
                return Kinds.Select(kind => new Measurement<int>(kind == trouble ? 1 : 0, Tags.Of(Tags.Trouble, WordOf(kind))));
            },
            "1",
            "1 while the service is not ready for that reason, else 0.");
        var measured = store as IMeasuredStore;
        meter.CreateObservableGauge(
            "leases.store.records", () => Of(measured?.Measure()?.Records), "{record}", "Leases and keys that have a record.");
        meter.CreateObservableGauge(
            "leases.store.size", () => Of(measured?.Measure()?.DiskBytes), "By", "What the store takes of the disk.");

        static IEnumerable<Measurement<long>> Of(long? found) => found is { } value ? [new(value)] : [];
    }

    // A listener that came meanwhile has no start to count from.
    private void Record(long start, string operation, string outcome)
    {
        if (start == 0) return;
        var took = _time.GetElapsedTime(start);
        _durations.Note(took.TotalSeconds, Tags.Of(Tags.StoreOperation, operation), Tags.Of(Tags.Outcome, outcome));
        if (took >= SlowFrom) Slow?.Invoke(operation, took);
    }

    public static string WordOf(SaveOutcome outcome) => outcome switch
    {
        SaveOutcome.Saved => Tags.Ok,
        SaveOutcome.Conflict => "conflict",
        SaveOutcome.NotSaved => "not-saved",
        _ => "unknown",
    };

    private static string WordOf(StorageTroubleKind kind) => kind switch
    {
        StorageTroubleKind.Away => "away",
        StorageTroubleKind.Blind => "blind",
        _ => "unfit",
    };
}
