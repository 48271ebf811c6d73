namespace OrleansLeases.Core;

/// <summary>A store that says how much it has, without counting it.</summary>
internal interface IMeasuredStore
{
    /// <summary>Looks at how much there is; null where it cannot be read.</summary>
    StoreSize? Measure();
}

/// <summary>How much a store has.</summary>
/// <param name="Records">The leases and keys that have a record.</param>
/// <param name="DiskBytes">What it takes of the disk; null where there is none.</param>
internal readonly record struct StoreSize(long Records, long? DiskBytes);
