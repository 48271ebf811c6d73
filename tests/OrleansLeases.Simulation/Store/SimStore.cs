using OrleansLeases.Simulation.Checking;
using OrleansLeases.Simulation.Hosts;
using OrleansLeases.Simulation.Scheduling;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation.Store;

/// <summary>What is stored, and how badly it is reached. Hosts see it through a <see cref="HostStore"/> each.</summary>
internal sealed class SimStore(Scheduler scheduler, Faults faults, Planted planted, Truth truth)
{
    // As a look every 10 s may find it, and a minute of looks that take too long to tell.
    private static readonly TimeSpan LatestNotice = TimeSpan.FromSeconds(90);

    // Half of the skew, and what clocks drift meanwhile.
    private static readonly TimeSpan FarApart = TimeSpan.FromMilliseconds(750);

    private readonly SimProcess _machine = new(
        scheduler, "database", TimeSpan.Zero, scheduler.Dice.Between(-World.StoreOff, World.StoreOff));

    private readonly Dictionary<SimProcess, TimeSpan> _apartSince = [];
    private SortedDictionary<(RecordKind Kind, string Name), StoredRecord> _rows = new(ByKindAndName);
    private SortedDictionary<(RecordKind Kind, string Name), StoredRecord>? _copy;
    private TimeSpan _downUntil;

    private static Comparer<(RecordKind Kind, string Name)> ByKindAndName { get; } = Comparer<(RecordKind Kind, string Name)>.Create(
        (one, other) => one.Kind != other.Kind ? one.Kind.CompareTo(other.Kind) : string.CompareOrdinal(one.Name, other.Name));

    /// <summary>What sees every write.</summary>
    public Truth Truth => truth;

    public Faults Faults { get; set; } = faults;

    public int Epoch { get; private set; }

    public bool IsDown => scheduler.Now < _downUntil;

    public IEnumerable<StoredRecord> Rows => _rows.Values;

    /// <summary>What the database's clock says, since the Unix epoch.</summary>
    public TimeSpan Clock => _machine.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch;

    /// <summary>Sets the database's clock.</summary>
    /// <param name="ahead">How far ahead of true time.</param>
    /// <param name="hosts">Whose clocks are compared with it.</param>
    public void SetClock(TimeSpan ahead, IEnumerable<SimHost?> hosts)
    {
        _machine.Clock.StepWall(ahead - _machine.Clock.WallAhead);
        foreach (var host in hosts.OfType<SimHost>()) NoteClock(host.Process);
    }

    /// <summary>A host's clock was set, or the database's.</summary>
    public void NoteClock(SimProcess host)
    {
        if (AheadOf(host).Duration() <= FarApart) _apartSince.Remove(host);
        else _apartSince.TryAdd(host, scheduler.Now);
    }

    /// <summary>A host of a cluster loads a record: its clock and the database's have not been apart for long.</summary>
    public void CheckClock(SimProcess host, string name)
    {
        if (!_apartSince.TryGetValue(host, out var since) || AheadOf(host).Duration() <= FarApart) return;
        if (scheduler.Now - Max(since, host.ThawedAt) > LatestNotice)
            scheduler.Fail("clock", $"{host.Name} loads {name}, and since {since} its clock is {AheadOf(host)} ahead of the database's.");
    }

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

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private TimeSpan AheadOf(SimProcess host) => host.Clock.WallAhead - _machine.Clock.WallAhead;
}
