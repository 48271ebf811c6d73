namespace OrleansLeases.Simulation;

/// <summary>A defect on purpose: a search that finds nothing is believed only once it has found each of these.</summary>
[Flags]
internal enum Planted : long
{
    None = 0,

    /// <summary>The store writes whatever version it has.</summary>
    StoreComparesNoVersions = 1 << 0,

    /// <summary>The host takes a write for stored once it was sent.</summary>
    HostAnswersBeforeItsSave = 1 << 1,

    /// <summary>A client counts its deadline from when the answer came.</summary>
    DeadlineFromReceipt = 1 << 2,

    /// <summary>A release ends the lease that is there, whatever its token says.</summary>
    ReleaseOfAnyToken = 1 << 3,

    /// <summary>A watcher takes no notice of resync.</summary>
    WatcherDropsResync = 1 << 4,

    /// <summary>A restored copy goes on under the epoch that it had.</summary>
    RestoreKeepsEpoch = 1 << 5,

    /// <summary>A repeated request gets another request id.</summary>
    RepeatsAreNew = 1 << 6,

    /// <summary>A host shows bound keys without asking their lease.</summary>
    KeysWithoutTheirLease = 1 << 7,

    /// <summary>Hosts never wake their keepers.</summary>
    NoAlarms = 1 << 8,

    /// <summary>A host takes horizons that others stored for passed.</summary>
    ForgetsHorizons = 1 << 9,

    /// <summary>A client's clock runs slower than it allows for.</summary>
    SlowHolder = 1 << 10,

    /// <summary>The resource takes any token.</summary>
    NoFence = 1 << 11,

    /// <summary>Hosts free leases of others later than they publish.</summary>
    FreesLate = 1 << 12,

    /// <summary>A host answers reads with what it read a moment ago.</summary>
    StaleReads = 1 << 13,

    /// <summary>A host grants a shared lease to one more than asked for.</summary>
    OneTooMany = 1 << 14,

    /// <summary>A host puts a key whatever version it is to replace.</summary>
    PutsAnyway = 1 << 15,

    /// <summary>A proxy before HTTP answers a renewal with what it heard when it was asked the same before.</summary>
    ProxyCaches = 1 << 16,

    /// <summary>A client looks late at the deadlines of its leases.</summary>
    LateLooks = 1 << 17,

    /// <summary>The mark of a task is forgotten.</summary>
    TasksForgotten = 1 << 18,

    /// <summary>Keys of ended leases are never cleaned up.</summary>
    CleanUpsLost = 1 << 19,

    /// <summary>A watch of a bound key begins without asking its lease.</summary>
    WatchesWithoutTheirLease = 1 << 20,

    /// <summary>A watch shows with a put the value of the one before.</summary>
    WatchesShowTheValueBefore = 1 << 21,

    /// <summary>A watch of a prefix is never shown what the other silos store.</summary>
    SiloUnwatched = 1 << 22,

    /// <summary>A silo takes no notice of how far its clock is from the database's.</summary>
    ClocksUncompared = 1 << 23,

    /// <summary>A silo counts on from its wall clock, whatever the database's says.</summary>
    WrongClocksCount = 1 << 24,

    /// <summary>It is not stored until when an ended lease was to be held at least.</summary>
    HoldsForgotten = 1 << 25,

    /// <summary>It is not stored when the time of a key is over.</summary>
    TimesForgotten = 1 << 26,

    /// <summary>A record that is dropped leaves no floor.</summary>
    DropsLeaveNoFloor = 1 << 27,

    /// <summary>A record is gone a while before its floor is stored.</summary>
    FloorsComeLate = 1 << 28,

    /// <summary>The store takes the first record of a name, whatever it was made above.</summary>
    StoreComparesNoFloors = 1 << 29,

    /// <summary>The store drops a record whatever version it has by then.</summary>
    DropsCompareNoVersions = 1 << 30,

    /// <summary>A sweep drops what it finds by itself: keepers, who know of watches and of delays, are not asked.</summary>
    DropsAskNobody = 1L << 31,

    /// <summary>Names are kept for half of the time that is published.</summary>
    NamesKeptForHalf = 1L << 32,
}
