using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>Finds the store of leases among the services of a silo, which may have stores of its own as well.</summary>
/// <param name="Store">The store. The services that it comes from dispose of it.</param>
internal sealed record LeaseStorage(IRecordStore Store)
{
    /// <summary>What its time limits count by: a store takes real time, whatever clock the leases are under.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How far this process's clock is ahead of the store's; null where that is not known, or nothing is compared.</summary>
    public Func<TimeSpan?>? ClockOffset { get; init; }
}
