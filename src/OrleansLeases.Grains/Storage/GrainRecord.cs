using OrleansLeases.Core;

namespace OrleansLeases.Grains;

/// <summary>What a grain stores.</summary>
internal abstract class GrainRecord
{
    /// <summary>The restore epoch under which it is written, or was read.</summary>
    public int Epoch { get; init; }

    /// <summary>The number of the last change that is stored already.</summary>
    public long StoredChanges { get; init; }
}

/// <summary>What a lease grain stores.</summary>
internal sealed class LeaseRecord : GrainRecord
{
    /// <summary>The name of the state, which storage keeps it under; no other grain class may use it.</summary>
    public const string StateName = "lease";

    /// <summary>The record.</summary>
    public LeaseState Lease { get; init; } = LeaseState.Unused;
}

/// <summary>What a key grain stores.</summary>
internal sealed class KeyRecord : GrainRecord
{
    /// <summary>The name of the state, which storage keeps it under; no other grain class may use it.</summary>
    public const string StateName = "key";

    /// <summary>The record.</summary>
    public KeyState Key { get; init; } = KeyState.Unused;
}
