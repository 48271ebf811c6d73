using OrleansLeases.Core;

namespace OrleansLeases.Storage;

/// <summary>
/// One record as a store keeps it: opaque, except for what a store needs. Immutable and thread-safe, except for <see cref="Tag"/>.
/// </summary>
/// <remarks>
/// It is encoded only on demand, so that a store which keeps these objects never pays for it. The payload of <see cref="Encode"/> has
/// the newest block of the record's log, up to 16 changes; finished blocks no longer change, and a store writes each once.
/// </remarks>
public sealed class StoredRecord
{
    internal StoredRecord(RecordKind kind, string name, IRecord state) => (Kind, Name, State) = (kind, name, state);

    /// <summary>The kind of the record.</summary>
    public RecordKind Kind { get; }

    /// <summary>Its name, within its kind. At most 512 bytes of UTF-8.</summary>
    public string Name { get; }

    /// <summary>
    /// Counts the stored writes; what compare-and-swap compares. 0 where nothing is stored. A first record has the number after
    /// that of its <see cref="Floor"/>, and so never one that a dropped record of its name has had.
    /// </summary>
    public long Version => State.Version;

    /// <summary>Whether the lease has a holder, or the key a value: listings of held records show it.</summary>
    public bool IsHeld => State.IsHeld;

    /// <summary>Milliseconds since the Unix epoch at which a lease expires and a sweep must find the record; null for never.</summary>
    public long? Due => State.Due;

    /// <summary>
    /// Milliseconds since the Unix epoch since when it is idle: nothing is held, bound or pending. A sweep may then drop it. Null while it
    /// is in use, and for records of the service's own, which are never dropped.
    /// </summary>
    public long? IdleSince =>
        Kind != RecordKind.Service && State.IdleSince is { } since ? since.Ticks / TimeSpan.TicksPerMillisecond : null;

    /// <summary>
    /// What it was made above, where it is the first record of a name: it may be stored only where this covers the floor of its shard.
    /// </summary>
    public RecordFloor Floor => State.Floor;

    /// <summary>What the floor of its shard must cover once this record is dropped.</summary>
    public RecordFloor FloorAfter => State.FloorAfter;

    /// <summary>The number of the newest block of its log, from 0, which is in the payload of <see cref="Encode"/>.</summary>
    public long Block => BlockLog.BlockOf(State.Last);

    /// <summary>
    /// The number of the oldest finished block that a load still needs: those from it to the one before <see cref="Block"/>. A store may
    /// delete older ones.
    /// </summary>
    public long FirstBlock =>
        Math.Max(
            BlockLog.BlockOf(State.LogStart + 1),
            Block + 1 - ((Kind == RecordKind.Lease ? LeaseRules.DefaultLogLength : KeyState.LogLength) / BlockLog.BlockLength));

    /// <summary>
    /// A value of the store's own, such as an ETag. A store sets it when it has loaded or saved the record, and reads it from the
    /// <c>previous</c> of the next save. The service does not use it.
    /// </summary>
    public string? Tag { get; set; }

    /// <summary>As <see cref="IdleSince"/>, or when it was idle the last time before it came into use.</summary>
    internal long? LastIdle => Kind != RecordKind.Service && State.LastIdle is { } last ? last.Ticks / TimeSpan.TicksPerMillisecond : null;

    internal IRecord State { get; }

    internal LeaseState Lease => (LeaseState)State;

    internal KeyState Key => (KeyState)State;

    /// <summary>The record of a name under which nothing is stored.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="name">The name.</param>
    /// <returns>A record of version 0.</returns>
    public static StoredRecord None(RecordKind kind, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new(kind, name, kind == RecordKind.Lease ? LeaseState.Unused : KeyState.Unused);
    }

    /// <summary>Decodes a record, without the finished blocks of its log: add them with <see cref="WithBlocks"/>.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="name">The name.</param>
    /// <param name="payload">The result of <see cref="Encode"/>, of this version of the software or an earlier one.</param>
    /// <returns>The record.</returns>
    /// <exception cref="InvalidDataException">The payload is no record, or one of a newer version: do not overwrite it.</exception>
    public static StoredRecord Read(RecordKind kind, string name, ReadOnlySpan<byte> payload)
    {
        ArgumentNullException.ThrowIfNull(name);
        return new(kind, name, kind == RecordKind.Lease ? RecordCodec.Lease.Decode(payload) : RecordCodec.Key.Decode(payload));
    }

    /// <summary>Adds the finished blocks of the log to a record that was just read.</summary>
    /// <param name="blocks">
    /// The blocks from <see cref="FirstBlock"/> to the one before <see cref="Block"/>, oldest first. Where one is missing, only those
    /// after the gap.
    /// </param>
    /// <returns>The whole record.</returns>
    /// <exception cref="InvalidDataException">One of them cannot be decoded.</exception>
    public StoredRecord WithBlocks(IEnumerable<ReadOnlyMemory<byte>> blocks)
    {
        ArgumentNullException.ThrowIfNull(blocks);
        return new(Kind, Name, State.WithOlder(blocks)) { Tag = Tag };
    }

    /// <summary>Encodes the record, without the finished blocks of its log.</summary>
    /// <returns>UTF-8 JSON of one line.</returns>
    public byte[] Encode() => State.Encode();

    /// <summary>The blocks of the log that this record finishes, to be stored in the same transaction.</summary>
    /// <param name="previous">The record that was stored before.</param>
    /// <returns>The blocks, mostly none.</returns>
    public IReadOnlyList<LogBlock> FinishedSince(StoredRecord previous)
    {
        ArgumentNullException.ThrowIfNull(previous);
        var first = Math.Max(previous.Block, BlockLog.BlockOf(State.First));
        if (first >= Block) return [];
        var finished = new List<LogBlock>();
        for (var block = first; block < Block; block++) finished.Add(new(block, State.EncodeBlock(block)));
        return finished;
    }
}

/// <summary>One finished block of a record's log. Immutable.</summary>
/// <param name="Number">Its number, from 0.</param>
/// <param name="Entries">UTF-8 JSON of one line.</param>
public readonly record struct LogBlock(long Number, ReadOnlyMemory<byte> Entries);
