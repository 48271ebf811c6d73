using OrleansLeases.Core;
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
    private Content _content = new(new(ByKindAndName), new(ByKindAndName), []);
    private Content? _copy;
    private TimeSpan _downUntil;

    private static Comparer<(RecordKind Kind, string Name)> ByKindAndName { get; } = Comparer<(RecordKind Kind, string Name)>.Create(
        (one, other) => one.Kind != other.Kind ? one.Kind.CompareTo(other.Kind) : string.CompareOrdinal(one.Name, other.Name));

    /// <summary>What sees every write.</summary>
    public Truth Truth => truth;

    public Faults Faults { get; set; } = faults;

    public int Epoch { get; private set; }

    public bool IsDown => scheduler.Now < _downUntil;

    public IEnumerable<StoredRecord> Rows => _content.Rows.Values;

    /// <summary>The last records of names that have none any more.</summary>
    public IEnumerable<StoredRecord> Dropped => _content.Dropped.Values;

    /// <summary>Finds records that are idle.</summary>
    public IReadOnlyList<DueRecord> Idle(RecordKind kind, DueQuery query) =>
        Page(Rows.Where(row => row.Kind == kind), query, row => row.IdleSince);

    /// <summary>Finds records that are due.</summary>
    public IReadOnlyList<DueRecord> Due(DueQuery query) => Page(Rows.Where(row => row.Kind == query.Kind), query, row => row.Due);

    /// <summary>The floors that were raised.</summary>
    public IEnumerable<(RecordKind Kind, int Shard, RecordFloor Floor)> Floors =>
        _content.Floors.Select(floor => (floor.Key.Kind, floor.Key.Shard, floor.Value));

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

    public StoredRecord Read(RecordKind kind, string name) =>
        _content.Rows.GetValueOrDefault((kind, name)) ?? StoredRecord.None(kind, name);

    public RecordFloor FloorOf(RecordKind kind, string name) => _content.Floors.GetValueOrDefault((kind, RecordFloor.ShardOf(name)));

    /// <summary>Writes by compare-and-swap, of version and epoch, and a first record only above the floor.</summary>
    /// <param name="previous">What it was made from.</param>
    /// <param name="next">What to write.</param>
    /// <param name="epoch">The epoch that its host knows.</param>
    /// <param name="made">When its host made it.</param>
    /// <param name="isStray">No watch of a prefix may ever show it.</param>
    public bool TryWrite(StoredRecord previous, StoredRecord next, int epoch, TimeSpan made, bool isStray)
    {
        var before = Read(next.Kind, next.Name);
        if (!planted.HasFlag(Planted.StoreComparesNoVersions) && (before.Version != previous.Version || epoch != Epoch)) return false;
        if (before.Version == 0)
        {
            if (!planted.HasFlag(Planted.StoreComparesNoFloors) && !next.Floor.Covers(FloorOf(next.Kind, next.Name))) return false;
            IRecord above = next.Kind == RecordKind.Lease ? LeaseState.Above(next.Floor) : KeyState.Above(next.Floor);
            before = new(next.Kind, next.Name, above);
        }

        _content.Rows[(next.Kind, next.Name)] = next;
        _content.Dropped.Remove((next.Kind, next.Name));
        scheduler.Trace.Add(scheduler.Now, "written", next.Name, next.Version, (long)next.Kind);
        truth.Written(before, next, made, isStray);
        return true;
    }

    /// <summary>Drops a record by compare-and-swap, and raises the floor of its shard with that.</summary>
    public bool TryDrop(StoredRecord record, int epoch)
    {
        var stored = Read(record.Kind, record.Name);
        if (stored.Version == 0 || epoch != Epoch) return false;
        if (!planted.HasFlag(Planted.DropsCompareNoVersions) && stored.Version != record.Version) return false;
        _content.Rows.Remove((record.Kind, record.Name));
        _content.Dropped[(record.Kind, record.Name)] = stored;
        scheduler.Trace.Add(scheduler.Now, "dropped", record.Name, record.Version, (long)record.Kind);
        truth.Dropped(stored);
        if (planted.HasFlag(Planted.FloorsComeLate)) scheduler.After(TimeSpan.FromSeconds(2), Raise);
        else if (!planted.HasFlag(Planted.DropsLeaveNoFloor)) Raise();
        return true;

        void Raise()
        {
            var shard = (record.Kind, RecordFloor.ShardOf(record.Name));
            _content.Floors[shard] = _content.Floors.GetValueOrDefault(shard).RaisedTo(record.FloorAfter);
        }
    }

    public void Restart(TimeSpan downFor)
    {
        scheduler.Trace.Add(scheduler.Now, "store restarts", "store");
        _downUntil = scheduler.Now + downFor;
    }

    public void BackUp() => _copy = _content.Copy();

    /// <summary>Puts back what was copied last, with an epoch above all before. No host may run.</summary>
    public bool Restore()
    {
        if (_copy is null) return false;
        scheduler.Trace.Add(scheduler.Now, "restored", "store", Epoch);
        _content = _copy.Copy();
        if (!planted.HasFlag(Planted.RestoreKeepsEpoch)) Epoch++;
        truth.Restored(Epoch, [.. Rows], Dropped);
        return true;
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private static DueRecord[] Page(IEnumerable<StoredRecord> rows, DueQuery query, Func<StoredRecord, long?> at) =>
    [
        .. rows.Where(row => at(row) <= query.Until && query.Takes(row.Name))
            .OrderBy(at).ThenBy(row => row.Name, StringComparer.Ordinal)
            .Select(row => new DueRecord(row.Name, at(row)!.Value))
            .Where(row => query.After is not { } last || row.At > last.At
                || (row.At == last.At && string.CompareOrdinal(row.Name, last.Name) > 0))
            .Take(query.Limit),
    ];

    private TimeSpan AheadOf(SimProcess host) => host.Clock.WallAhead - _machine.Clock.WallAhead;

    private sealed record Content(
        SortedDictionary<(RecordKind Kind, string Name), StoredRecord> Rows,
        SortedDictionary<(RecordKind Kind, string Name), StoredRecord> Dropped,
        SortedDictionary<(RecordKind Kind, int Shard), RecordFloor> Floors)
    {
        public Content Copy() => new(new(Rows, ByKindAndName), new(Dropped, ByKindAndName), new(Floors));
    }
}
