using System.Diagnostics;
using OrleansLeases.Core;
using OrleansLeases.Storage;

namespace OrleansLeases.Embedded;

/// <summary>One record to be stored, or dropped, if its version is still the expected one.</summary>
internal sealed class PendingSave : TaskCompletionSource<SaveOutcome>
{
    private readonly StoredRecord _record;

    // Not asynchronous: a keeper's next turn then joins the very next batch. Callers of keepers never run here.
    public PendingSave(
        StoredRecord previous, StoredRecord next, (long Slot, ReadOnlyMemory<byte> Entries)[] blocks, IdleRounding rounding)
    {
        (_record, Version, Blocks) = (next, previous.Version, blocks);
        SameHeld = previous.IsHeld == next.IsHeld;
        Idle = rounding.Of(next.LastIdle);
        SameIdle = rounding.Of(previous.LastIdle) == Idle;
        // On the keeper's thread: the writer has enough to do.
        State = next.Encode();
    }

    /// <summary>Drops a record.</summary>
    public PendingSave(StoredRecord dropped) => (_record, Version, Drops, Blocks, State) = (dropped, dropped.Version, true, [], []);

    public RecordKind Kind => _record.Kind;

    public string Name => _record.Name;

    /// <summary>The version that must be stored; 0 for none.</summary>
    public long Version { get; }

    /// <summary>The version of a first record.</summary>
    public long FirstVersion => _record.Version;

    /// <summary>What a first record was made above.</summary>
    public RecordFloor Floor => _record.Floor;

    /// <summary>What a dropped record leaves.</summary>
    public RecordFloor FloorAfter => _record.FloorAfter;

    public bool Drops { get; }

    public bool Held => _record.IsHeld;

    /// <summary>Whether it is held or not as before, and so stands in the index of what is held or not as before.</summary>
    public bool SameHeld { get; }

    public long? Due => _record.Due;

    /// <summary>
    /// From when on a sweep for idle records should look at it; rounded up, so that a name which is used again and again keeps its place in
    /// the index. A lease keeps it while it is held.
    /// </summary>
    public long? Idle { get; }

    /// <summary>Whether that is as before.</summary>
    public bool SameIdle { get; }

    public byte[] State { get; }

    /// <summary>The span that it is part of, if there is one.</summary>
    public Activity? Caller { get; } = LeaseTracing.IsOn ? Activity.Current : null;

    public (long Slot, ReadOnlyMemory<byte> Entries)[] Blocks { get; }
}

/// <summary>Rounds up the times since which records are idle, by little of what they are kept. Immutable.</summary>
internal sealed class IdleRounding(Retention retention)
{
    private const long Minute = 60_000;
    private const long Hour = 60 * Minute;

    private readonly long _unit = retention.Times is [var shortest, ..]
        ? Math.Clamp((long)(shortest / 64).TotalMilliseconds, 1000, Hour)
        : Hour;

    public long? Of(long? since) => since is { } time ? (time + _unit - 1) / _unit * _unit : null;
}
