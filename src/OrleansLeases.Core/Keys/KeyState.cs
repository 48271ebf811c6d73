using System.Text.Json.Serialization;
using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>
/// The record of one key. Immutable; after a delete it stays as a small tombstone, so that its version never repeats and a late write of it
/// loses. It is dropped only as a floor of both is raised.
/// </summary>
internal sealed record KeyState : IRecord
{
    /// <summary>The newest schema this code can read: 1, and 2 where the key has a time of its own. Decision lowest-schema.</summary>
    public const int CurrentSchema = 2;

    /// <summary>How many changes a key remembers, with their request ids: 1,024 wherever the oldest block ends.</summary>
    public const int LogLength = 1_024 + BlockLog.BlockLength;

    /// <summary>A key never used.</summary>
    public static readonly KeyState Unused = new();

    /// <summary>The schema of this record.</summary>
    [JsonPropertyName("v")]
    public int Schema { get; init; } = 1;

    /// <summary>Counts the stored writes; what compare-and-swap compares. 0 where nothing is stored.</summary>
    [JsonPropertyName("ver")]
    [JsonRequired]
    public long Version { get; init; }

    /// <summary>
    /// Counts the writes that change what the key is bound to, and the clean-ups. What was found out about leases for
    /// one generation holds for all of it: so a write that had to ask a lease first is applied only in the same one.
    /// </summary>
    [JsonPropertyName("gen")]
    public long Generation { get; init; }

    /// <summary>The value; null where there is no such key.</summary>
    [JsonPropertyName("val")]
    public string? Value { get; init; }

    /// <summary>
    /// The lease it is bound to; null where it stands free. It is as absent as without a value once that lease has ended.
    /// </summary>
    [JsonPropertyName("b")]
    public KeyBinding? Binding { get; init; }

    /// <summary>When its time is over; null where it has none of its own, as every bound key.</summary>
    [JsonPropertyName("x")]
    public KeyExpiry? Expiry { get; init; }

    /// <summary>The last changes. The number of a change is the version that callers see.</summary>
    [JsonPropertyName("log")]
    [JsonRequired]
    [JsonConverter(typeof(KeyLogConverter))]
    public BlockLog<KeyLogEntry> Log { get; init; } = BlockLog.Empty<KeyLogEntry>();

    /// <summary>Wall: when it was last stored, if it had no value then; null otherwise, and in records of before.</summary>
    [JsonPropertyName("idle")]
    public TimeSpan? IdleSince { get; init; }

    /// <summary>The version that callers see: counts puts, additions and deletes.</summary>
    [JsonIgnore]
    public long Revision => Log.Last;

    bool IRecord.IsHeld => Value is not null;

    TimeSpan? IRecord.LastIdle => IdleSince;

    RecordFloor IRecord.Floor => new(0, Version == 0 ? Log.Last : Version - 1);

    RecordFloor IRecord.FloorAfter => new(0, Math.Max(Math.Max(Version, Generation), Log.Last));

    long IRecord.LogStart => Log.Start;

    /// <summary>The version of the record that comes after this one.</summary>
    internal long NextVersion => Version == 0 ? Log.Last + 1 : Version + 1;

    long? IRecord.Due => Expiry is { } expiry ? expiry.EndsWall.Ticks / TimeSpan.TicksPerMillisecond : null;

    long IHistory.First => Log.First;

    long IHistory.Last => Log.Last;

    /// <summary>The record of a key that has none, where others of its shard were dropped, and maybe one of its own.</summary>
    /// <param name="floor">What they left.</param>
    /// <returns>A record of version 0.</returns>
    internal static KeyState Above(RecordFloor floor)
    {
        if (floor == default) return Unused;
        var log = BlockLog.Empty<KeyLogEntry>(floor.Sequence);
        return Unused with { Generation = log.Last, Log = log };
    }

    /// <summary>Whether it has had no value for as long as it was to be kept then.</summary>
    internal bool IsIdle(Instant now, TimeSpan retain) =>
        Version > 0 && Value is null
        && now.Earliest - (IdleSince ?? Log.NewestFirst().FirstOrDefault().At) >= retain;

    IEnumerable<WatchEvent> IHistory.After(string name, long sequence) => WatchViews.Changes(name, this, sequence);

    byte[] IRecord.Encode() => RecordCodec.Key.Encode(this with { Log = Log.WithoutFinished() });

    byte[] IRecord.EncodeBlock(long number) => RecordCodec.Key.EncodeBlock(Log.Finished(number));

    IRecord IRecord.WithOlder(IEnumerable<ReadOnlyMemory<byte>> blocks) =>
        this with { Log = Log.WithOlder(blocks.Select(block => RecordCodec.Key.DecodeBlock(block.Span))) };

    /// <summary>Prepares a record just loaded for this activation.</summary>
    internal KeyState Resume(Instant now, LeaseRules rules) => Expiry is null ? this : this with { Expiry = Expiry.Resume(now, rules) };

    /// <summary>Whether its time is over, so that it is absent, and the record that says so is to be stored.</summary>
    internal bool IsOver(Instant now) => now.Monotonic >= Expiry?.Ends;

    /// <summary>The record once its time is over: the key is deleted. Stored before anybody is told.</summary>
    internal KeyState Expire(Instant now) => this with
    {
        Schema = 1,
        Version = NextVersion,
        IdleSince = LeaseMachine.CeilToMillisecond(now.Latest),
        Value = null,
        Expiry = null,
        Log = Log.Append(
            new KeyLogEntry(
                KeyEventKind.KeyDeleted, LeaseMachine.CeilToMillisecond(now.Latest - (now.Monotonic - Expiry!.Ends)), null, default, true),
            LogLength),
    };
}

/// <summary>The lease that a key is bound to.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="Owner">The holder.</param>
/// <param name="Token">The token of the grant.</param>
internal sealed record KeyBinding(
    [property: JsonPropertyName("r")] string Resource,
    [property: JsonPropertyName("o")] string Owner,
    [property: JsonPropertyName("t")] long Token)
{
    internal static KeyBinding? Of(KeyLease? lease) => lease is null ? null : new(lease.Resource, lease.Owner, lease.Token);

    internal KeyLease ToLease() => new() { Resource = Resource, Owner = Owner, Token = Token };
}

/// <summary>One change of a key.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="At">Wall: when.</param>
/// <param name="Sum">What an addition made of it.</param>
/// <param name="Request">The request that made the change, where a request id names it.</param>
/// <param name="Expired">It was deleted since its time was over.</param>
internal readonly record struct KeyLogEntry(
    [property: JsonPropertyName("k"), JsonConverter(typeof(JsonNumberEnumConverter<KeyEventKind>))] KeyEventKind Kind,
    [property: JsonPropertyName("a")] TimeSpan At,
    [property: JsonPropertyName("s")] long? Sum,
    [property: JsonPropertyName("q")] RequestFingerprint Request,
    [property: JsonPropertyName("x")] bool Expired = false) : ILogEntry;
