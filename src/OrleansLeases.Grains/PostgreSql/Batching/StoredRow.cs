using System.Diagnostics;
using System.Globalization;
using OrleansLeases.Storage;

namespace OrleansLeases.Grains;

/// <summary>A row as the database has it.</summary>
/// <param name="Version">Its version, which is the record's tag.</param>
/// <param name="Payload">The record.</param>
/// <param name="Older">The finished blocks of its log, a line each; null where there are none.</param>
internal sealed record StoredRow(int Version, byte[] Payload, byte[]? Older)
{
    public StoredRecord Read(RecordKind kind, string name)
    {
        var record = StoredRecord.Read(kind, name, Payload);
        if (Older is not null) record = record.WithBlocks(RecordLines.Split(Older));
        record.Tag = TagOf(Version);
        return record;
    }

    /// <summary>The version of the row of a first record: a row's version is compared for equality only, and wraps.</summary>
    public static int FirstVersionOf(StoredRecord first) => (int)((first.Version - 1) % int.MaxValue) + 1;

    public static string TagOf(int version) => version.ToString(CultureInfo.InvariantCulture);

    public static int? VersionOf(string? tag) => tag is null ? null : int.Parse(tag, CultureInfo.InvariantCulture);
}

/// <summary>A record that a grain waits for.</summary>
// Its continuation is queued to the scheduler of its grain, so it runs nothing here; nor does that of a save.
internal sealed class PendingLoad(RecordKind kind, string name) : TaskCompletionSource<(int Epoch, StoredRow Row)?>, IBatchItem
{
    public (RecordKind Kind, string Name) Key { get; } = (kind, name);

    /// <summary>The span that it is part of, if there is one.</summary>
    public Activity? Caller { get; } = LeaseTracing.IsOn ? Activity.Current : null;
}

/// <summary>A record to be stored if its version is still the expected one.</summary>
internal sealed class PendingSave(int epoch, StoredRecord previous, StoredRecord next) : TaskCompletionSource<SavedRow>, IBatchItem
{
    public (RecordKind Kind, string Name) Key { get; } = (next.Kind, next.Name);

    /// <summary>The span that it is part of, if there is one.</summary>
    public Activity? Caller { get; } = LeaseTracing.IsOn ? Activity.Current : null;

    /// <summary>The restore epoch under which it is written.</summary>
    public int Epoch => epoch;

    /// <summary>What is compared; null where there is to be no row.</summary>
    public int? Expected { get; } = StoredRow.VersionOf(previous.Tag);

    public long? Due => next.Due;

    public long? IdleSince => next.IdleSince;

    public bool IsFirst => Expected is null;

    /// <summary>The version of its row, where it is a first record.</summary>
    public int First => StoredRow.FirstVersionOf(next);

    /// <summary>What it was made above, where it is a first record.</summary>
    public RecordFloor Floor => next.Floor;

    public bool IsHeld => next.IsHeld;

    public long Block => next.Block;

    // Made by the caller's thread, not by the one that puts a batch together.
    public byte[] Payload { get; } = next.Encode();

    public IReadOnlyList<LogBlock> Finished { get; } = next.FinishedSince(previous);
}

/// <summary>What became of a row that was to be written.</summary>
/// <param name="Version">Its new version; null where it was not written.</param>
/// <param name="Found">The row that a first record found instead.</param>
internal readonly record struct SavedRow(int? Version, StoredRow? Found = null);
