using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>What a lease grain stores.</summary>
internal sealed class LeaseRecord
{
    /// <summary>The name of the state, which storage keeps it under; no other grain class may use it.</summary>
    public const string StateName = "lease";

    /// <summary>The restore epoch under which it is written, or was read.</summary>
    public int Epoch { get; init; }

    /// <summary>The record.</summary>
    public LeaseState Lease { get; init; } = LeaseState.Unused;

    /// <summary>The number of the last change that is stored already.</summary>
    public long StoredChanges { get; init; }
}
