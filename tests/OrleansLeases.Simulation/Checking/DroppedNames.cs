using OrleansLeases.Core;
using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Checking;

/// <summary>
/// Names whose records are dropped: nothing of them is in use, repeats were recognised for as long as is promised, and whatever numbers a
/// name gives out when it comes back, it gave out none of them before.
/// </summary>
/// <param name="scheduler">True time.</param>
/// <param name="retention">What is promised.</param>
internal sealed class DroppedNames(Scheduler scheduler, Retention retention)
{
    // Clocks of hosts run fast by less than this part.
    private const double Drift = 0.01;

    private readonly Dictionary<(RecordKind Kind, string Name, long Version), TimeSpan> _changed = [];
    private readonly Dictionary<(RecordKind Kind, string Name), (long Number, long Generation)> _highest = [];
    private readonly Dictionary<(RecordKind Kind, string Name), long> _lastChange = [];
    private readonly Dictionary<(RecordKind Kind, string Name), List<(long After, long Start)>> _returns = [];

    /// <summary>Clocks are off by more than is allowed: a record may be dropped early.</summary>
    public bool IsOff { get; init; }

    /// <summary>How many records were dropped.</summary>
    public int Drops { get; private set; }

    /// <summary>How many of their names came back.</summary>
    public int Returns { get; private set; }

    /// <summary>A write has landed.</summary>
    /// <param name="before">What was stored; what the first record was made above, where nothing was.</param>
    /// <param name="after">What is stored now.</param>
    /// <param name="made">When its host made it.</param>
    public void Written(StoredRecord before, StoredRecord after, TimeSpan made)
    {
        if (before.Version == 0) Begins(after);
        Note(after);
        _changed[(after.Kind, after.Name, after.Version)] =
            after.State.Last == before.State.Last && _changed.TryGetValue((after.Kind, after.Name, before.Version), out var last)
                ? last
                : made;
    }

    /// <summary>A record was dropped.</summary>
    public void Dropped(StoredRecord record)
    {
        Drops++;
        var isInUse = record.Kind == RecordKind.Lease
            ? !record.Lease.Holders.IsEmpty || record.Lease.Pending is not null
            : record.Key.Value is not null;
        if (isInUse) scheduler.Fail("dropped", $"{record.Name} is dropped, and is in use.");
        var (retain, idle) = (retention.Of(record.Name), scheduler.Now - _changed[(record.Kind, record.Name, record.Version)]);
        if (retain == TimeSpan.Zero || (!IsOff && idle < retain * (1 - Drift)))
            scheduler.Fail("I7", $"{record.Name} is dropped {idle} after its last change; its request ids are promised for {retain}.");
    }

    /// <summary>A host drops a record, and knows that somebody watches it there.</summary>
    public void IsWatched(StoredRecord record) => scheduler.Fail("dropped", $"{record.Name} is dropped by a host at which it is watched.");

    /// <summary>Whether a change is the first of a record that was made above a floor.</summary>
    public bool IsFirst(RecordKind kind, string name, long change) =>
        _returns.TryGetValue((kind, name), out var returns) && returns.Exists(one => one.Start == change - 1);

    /// <summary>The number before the first change that could come after one, where the record was dropped between them.</summary>
    public long? SkippedAfter(RecordKind kind, string name, long change) =>
        _returns.TryGetValue((kind, name), out var returns) && returns.FindLast(one => one.After == change) is { Start: > 0 } found
            ? found.Start
            : null;

    /// <summary>An older copy was restored: only tokens have grown across that.</summary>
    /// <param name="records">What is stored now, and what was dropped before the copy was made.</param>
    public void Restored(IEnumerable<StoredRecord> records)
    {
        _highest.Clear();
        _lastChange.Clear();
        _returns.Clear();
        foreach (var record in records)
        {
            Note(record);
            // One that came back before the copy was made, and was not changed since: watches show that it was never used.
            if (record.State.Last > 0 && record.State.First > record.State.Last)
                _returns[(record.Kind, record.Name)] = [(-1, record.State.Last)];
        }
    }

    private void Begins(StoredRecord first)
    {
        var name = (first.Kind, first.Name);
        var (start, generation) = (first.State.LogStart, GenerationOf(first));
        if (_highest.TryGetValue(name, out var highest))
        {
            Returns++;
            if (first.Version <= highest.Number || start < highest.Number
                || (first.Kind == RecordKind.Key && generation <= highest.Generation))
            {
                scheduler.Fail(
                    "numbers", $"{first.Name} comes back with version {first.Version}, generation {generation} and change {start + 1}; it "
                        + $"had {highest.Number} before, and generation {highest.Generation}.");
            }
        }

        if (start == 0) return;
        if (!_returns.TryGetValue(name, out var returns)) _returns[name] = returns = [];
        returns.Add((_lastChange.GetValueOrDefault(name), start));
    }

    private static long GenerationOf(StoredRecord record) => record.Kind == RecordKind.Key ? record.Key.Generation : 0;

    private void Note(StoredRecord record)
    {
        var name = (record.Kind, record.Name);
        var highest = _highest.GetValueOrDefault(name);
        _highest[name] = (
            Math.Max(highest.Number, Math.Max(record.Version, record.State.Last)), Math.Max(highest.Generation, GenerationOf(record)));
        _lastChange[name] = record.State.Last;
    }
}
