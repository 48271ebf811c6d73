namespace OrleansLeases.Simulation;

/// <summary>What can go wrong. Each seed switches its own subset on.</summary>
[Flags]
internal enum Faults
{
    None = 0,

    /// <summary>Messages take long, and overtake each other.</summary>
    Delays = 1 << 0,

    /// <summary>Messages are lost; a lost answer was acted upon.</summary>
    Losses = 1 << 1,

    /// <summary>Requests arrive twice, the second time late.</summary>
    Duplicates = 1 << 2,

    /// <summary>Nothing arrives any more from one to another, while the other direction works.</summary>
    Partitions = 1 << 3,

    /// <summary>The store takes long.</summary>
    SlowStore = 1 << 4,

    /// <summary>The store wrote, and its answer is lost.</summary>
    LostStoreAnswers = 1 << 5,

    /// <summary>The store refuses a write.</summary>
    RefusedWrites = 1 << 6,

    /// <summary>A write that was given up lands later, or never.</summary>
    StrayWrites = 1 << 7,

    /// <summary>The store restarts: calls under way fail, some of them after the write.</summary>
    StoreRestarts = 1 << 8,

    /// <summary>An older copy of the store is restored, with a new epoch.</summary>
    Restores = 1 << 9,

    /// <summary>Hosts crash, and come back.</summary>
    HostCrashes = 1 << 10,

    /// <summary>Hosts are shut down in order, and come back.</summary>
    HostStops = 1 << 11,

    /// <summary>Two hosts, or three, take themselves for the place of one name.</summary>
    Twins = 1 << 12,

    /// <summary>Hosts stop for a while, as a process does.</summary>
    HostFreezes = 1 << 13,

    /// <summary>Machines of hosts sleep.</summary>
    HostSleeps = 1 << 14,

    /// <summary>Processes of clients stop for a while.</summary>
    ClientFreezes = 1 << 15,

    /// <summary>Machines of clients sleep.</summary>
    ClientSleeps = 1 << 16,

    /// <summary>Clients crash, and others take their place.</summary>
    ClientCrashes = 1 << 17,

    /// <summary>Clocks run at different rates, within what holders allow for.</summary>
    Drift = 1 << 18,

    /// <summary>Wall clocks of hosts step, within the allowed skew.</summary>
    HostSteps = 1 << 19,

    /// <summary>Wall clocks of clients step, as far as they like.</summary>
    ClientSteps = 1 << 20,

    /// <summary>Machines of clients are paused with all their clocks: only fencing protects.</summary>
    ClientPauses = 1 << 21,

    /// <summary>
    /// Wall clocks of hosts step beyond the allowed skew, and some hosts start with such a clock. Only fencing protects then, but where
    /// hosts compare theirs with the database's.
    /// </summary>
    HostSkews = 1 << 22,

    /// <summary>The database's clock steps, as far as it likes.</summary>
    StoreSteps = 1 << 23,

    /// <summary>A host of a cluster does not reach the store for a while; the others do.</summary>
    StoreCuts = 1 << 24,

    /// <summary>The others take a host for dead, and it lives on until it learns of that.</summary>
    TakenForDead = 1 << 25,

    /// <summary>Names that are not in use lose their records within seconds, where deployments keep them for days.</summary>
    Drops = 1 << 26,

    All = (1 << 27) - 1,
}
