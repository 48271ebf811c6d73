using OrleansLeases.Simulation.Checking;
using OrleansLeases.Simulation.Scheduling;

namespace OrleansLeases.Simulation.Store;

/// <summary>What is stored, and how badly it is reached. Hosts see it through a <see cref="HostStore"/> each.</summary>
internal sealed class SimStore(Scheduler scheduler, Faults faults, Planted planted, Truth truth)
{
    private SortedDictionary<(RecordKind Kind, string Name), StoredRecord> _rows = new(ByKindAndName);
    private SortedDictionary<(RecordKind Kind, string Name), StoredRecord>? _copy;
    private TimeSpan _downUntil;

    private static Comparer<(RecordKind Kind, string Name)> ByKindAndName { get; } = Comparer<(RecordKind Kind, string Name)>.Create(
        (one, other) => one.Kind != other.Kind ? one.Kind.CompareTo(other.Kind) : string.CompareOrdinal(one.Name, other.Name));

    public Faults Faults { get; set; } = faults;

    public int Epoch { get; private set; }

    public bool IsDown => scheduler.Now < _downUntil;

    public IEnumerable<StoredRecord> Rows => _rows.Values;

    public StoredRecord Read(RecordKind kind, string name) => _rows.GetValueOrDefault((kind, name)) ?? StoredRecord.None(kind, name);

    /// <summary>Writes by compare-and-swap, of version and epoch.</summary>
    public bool TryWrite(StoredRecord previous, StoredRecord next, int epoch, bool isStray)
    {
        var before = Read(next.Kind, next.Name);
        if (!planted.HasFlag(Planted.StoreComparesNoVersions) && (before.Version != previous.Version || epoch != Epoch)) return false;
        _rows[(next.Kind, next.Name)] = next;
        scheduler.Trace.Add(scheduler.Now, "written", next.Name, next.Version, (long)next.Kind);
        truth.Written(before, next, isStray);
        return true;
    }

    public void Restart(TimeSpan downFor)
    {
        scheduler.Trace.Add(scheduler.Now, "store restarts", "store");
        _downUntil = scheduler.Now + downFor;
    }

    public void BackUp() => _copy = new(_rows, ByKindAndName);

    /// <summary>Puts back what was copied last, with an epoch above all before. No host may run.</summary>
    public bool Restore()
    {
        if (_copy is null) return false;
        scheduler.Trace.Add(scheduler.Now, "restored", "store", Epoch);
        _rows = new(_copy, ByKindAndName);
        if (!planted.HasFlag(Planted.RestoreKeepsEpoch)) Epoch++;
        truth.Restored(Epoch);
        return true;
    }
}
