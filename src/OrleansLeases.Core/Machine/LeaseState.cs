using System.Collections.Immutable;
using System.Diagnostics;
using System.Text.Json.Serialization;
using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>
/// The record of one resource. Immutable; it holds the token counter, so it is dropped only as a floor of the counter is raised. Wall
/// times are since the Unix epoch in whole milliseconds; monotonic times are the activation's own and are never stored.
/// </summary>
internal sealed record LeaseState : IRecord
{
    /// <summary>The newest schema this code can read: 1, and 2 where a lease is to be held at least for some time.</summary>
    public const int CurrentSchema = 2;

    /// <summary>A resource never used.</summary>
    public static readonly LeaseState Unused = new();

    /// <summary>The schema of this record.</summary>
    [JsonPropertyName("v")]
    public int Schema { get; init; } = 1;

    /// <summary>Counts the stored writes; what compare-and-swap compares. 0 where nothing is stored.</summary>
    [JsonPropertyName("ver")]
    [JsonRequired]
    public long Version { get; init; }

    /// <summary>The highest token ever granted.</summary>
    [JsonPropertyName("last")]
    [JsonRequired]
    public long LastToken { get; init; }

    /// <summary>Who holds the resource, in the order of their tokens.</summary>
    [JsonPropertyName("holders")]
    [JsonRequired]
    [JsonConverter(typeof(HoldersConverter))]
    public ImmutableArray<Holder> Holders { get; init; } = [];

    /// <summary>The capacity that the shared holders agreed on; null for any number.</summary>
    [JsonPropertyName("cap")]
    public int? Capacity { get; init; }

    /// <summary>The lock-delay that the last lease left behind.</summary>
    [JsonPropertyName("delay")]
    public Delay? Delay { get; init; }

    /// <summary>The rest of the time that a lease which has ended was to be held at least.</summary>
    [JsonPropertyName("hold")]
    public Delay? Hold { get; init; }

    /// <summary>Which activation wrote this record, and so may renew in memory.</summary>
    [JsonPropertyName("claim")]
    public ActivationId Claim { get; init; }

    /// <summary>The last changes.</summary>
    [JsonPropertyName("log")]
    [JsonRequired]
    [JsonConverter(typeof(LeaseLogConverter))]
    public BlockLog<LogEntry> Log { get; init; } = BlockLog.Empty<LogEntry>();

    /// <summary>The keys of ended leases that have not all been cleaned up yet: an outbox. Null where there are none.</summary>
    [JsonPropertyName("out")]
    public ImmutableList<PendingCleanUp>? Pending { get; init; }

    /// <summary>Wall: when it was last stored free, with nothing pending. Null where it never was, and in records of before.</summary>
    [JsonPropertyName("idle")]
    public TimeSpan? IdleSince { get; init; }

    /// <summary>Every token is greater than this: what dropped records of its shard left, when the first record was made.</summary>
    [JsonIgnore]
    public long DroppedToken { get; init; }

    internal Delays Delays => new(Delay, Hold);

    bool IRecord.IsHeld => !Holders.IsEmpty;

    TimeSpan? IRecord.IdleSince => Holders.IsEmpty && Pending is null ? IdleSince : null;

    TimeSpan? IRecord.LastIdle => IdleSince;

    RecordFloor IRecord.Floor => new(DroppedToken, Version == 0 ? Log.Last : Version - 1);

    RecordFloor IRecord.FloorAfter => new(LastToken, Math.Max(Version, Log.Last));

    long IRecord.LogStart => Log.Start;

    /// <summary>The version of the record that comes after this one.</summary>
    internal long NextVersion => Version == 0 ? Log.Last + 1 : Version + 1;

    long? IRecord.Due => LeaseMachine.DueWall(this) is { } due ? due.Ticks / TimeSpan.TicksPerMillisecond : null;

    long IHistory.First => Log.First;

    long IHistory.Last => Log.Last;

    IEnumerable<WatchEvent> IHistory.After(string name, long sequence) => WatchViews.Changes(name, Log, sequence);

    byte[] IRecord.Encode() => RecordCodec.Lease.Encode(this with { Log = Log.WithoutFinished() });

    byte[] IRecord.EncodeBlock(long number) => RecordCodec.Lease.EncodeBlock(Log.Finished(number));

    IRecord IRecord.WithOlder(IEnumerable<ReadOnlyMemory<byte>> blocks) =>
        this with { Log = Log.WithOlder(blocks.Select(block => RecordCodec.Lease.DecodeBlock(block.Span))) };

    /// <summary>The record of a resource that has none, where others of its shard were dropped, and maybe one of its own.</summary>
    /// <param name="floor">What they left.</param>
    /// <returns>A record of version 0.</returns>
    internal static LeaseState Above(RecordFloor floor) => floor == default
        ? Unused
        : Unused with { DroppedToken = floor.Token, Log = BlockLog.Empty<LogEntry>(floor.Sequence) };

    /// <summary>Whether nothing of it is in force or under way, for as long as it was to be kept then.</summary>
    internal bool IsIdle(Instant now, TimeSpan retain) =>
        Version > 0 && Holders.IsEmpty && Pending is null && Delays.At(now) == default
        && now.Earliest - (IdleSince ?? Log.NewestFirst().FirstOrDefault().At) >= retain;

    /// <summary>Whether a request id was applied already.</summary>
    internal bool Knows(long requestId) => Holders.Any(holder => holder.Request.Id == requestId) || Log.TryFind(requestId, out _);

    internal Holder HolderOf(long token)
    {
        foreach (var holder in Holders)
        {
            if (holder.Token == token) return holder;
        }

        throw new UnreachableException($"The keeper answered for token {token}, but nobody holds it.");
    }

    /// <summary>Whether a lease's time has run out since the record was made, so that its end is not stored yet.</summary>
    internal bool IsOver(long token, Instant now)
    {
        foreach (var holder in Holders)
        {
            if (holder.Token == token) return now.Monotonic >= holder.EndsAt;
        }

        return false;
    }

    internal bool IsAnyOver(Instant now)
    {
        foreach (var holder in Holders)
        {
            if (now.Monotonic >= holder.EndsAt) return true;
        }

        return false;
    }

    /// <summary>
    /// Prepares a record just loaded for this activation: whatever was promised under the stored horizon may be in force
    /// until that has passed, counted monotonically from now, at most as long as it can have been when it was stored.
    /// </summary>
    internal LeaseState Resume(Instant now, LeaseRules rules) => this with
    {
        Holders = [.. Holders.Select(holder => holder.Resume(now, rules))],
        Delay = Delay?.Resume(now, rules),
        Hold = Hold?.Resume(now, rules),
    };

    /// <summary>
    /// The schema that a record needs: the lowest, so that in a rolling update hosts of before go on with all records but those of which
    /// they would forget something. Decision lowest-schema.
    /// </summary>
    internal static int SchemaFor(ImmutableArray<Holder> holders, Delays delays)
    {
        if (delays.Hold is not null) return 2;
        foreach (var holder in holders)
        {
            if (holder.Hold is not null) return 2;
        }

        return 1;
    }
}

/// <summary>One holder of a resource.</summary>
internal sealed record Holder
{
    /// <summary>Who holds.</summary>
    [JsonPropertyName("o")]
    public required string Owner { get; init; }

    /// <summary>The token of the grant.</summary>
    [JsonPropertyName("t")]
    public required long Token { get; init; }

    /// <summary>How it is held.</summary>
    [JsonPropertyName("m")]
    [JsonConverter(typeof(JsonNumberEnumConverter<LeaseMode>))]
    public LeaseMode Mode { get; init; }

    /// <summary>The time to live.</summary>
    [JsonPropertyName("ttl")]
    public required TimeSpan Ttl { get; init; }

    /// <summary>Wall time at or beyond every deadline ever promised to this holder.</summary>
    [JsonPropertyName("r")]
    public required TimeSpan Horizon { get; init; }

    /// <summary>
    /// How far ahead the horizon lay when it was stored: the longest that anything promised under it can still be in force,
    /// whatever a clock says. Not the time to live, which a renewal may shorten while the longer promise stands.
    /// Decision horizon-has-a-length.
    /// </summary>
    [JsonPropertyName("s")]
    public required TimeSpan HorizonLength { get; init; }

    /// <summary>The incarnation that stored the horizon.</summary>
    [JsonPropertyName("by")]
    public required string HorizonBy { get; init; }

    /// <summary>How long other owners wait if this lease expires or is broken by force.</summary>
    [JsonPropertyName("d")]
    public TimeSpan LockDelay { get; init; }

    /// <summary>Until when other owners wait, however this lease ends, counted from the grant that asked for it.</summary>
    [JsonPropertyName("h")]
    public Delay? Hold { get; init; }

    /// <summary>What the holder said of itself.</summary>
    [JsonPropertyName("meta")]
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>The request that made this grant.</summary>
    [JsonPropertyName("q")]
    public RequestFingerprint Request { get; init; }

    /// <summary>
    /// The keys attached to this lease, each with the key's generation for which it was: see
    /// <see cref="LeaseCommand.Attach"/>. Null where there are none.
    /// </summary>
    [JsonPropertyName("keys")]
    [JsonConverter(typeof(AttachedKeysConverter))]
    public ImmutableSortedDictionary<string, long>? Keys { get; init; }

    /// <summary>The order that ends this lease, if there is one.</summary>
    [JsonPropertyName("brk")]
    public BreakOrder? Breaking { get; init; }

    /// <summary>Monotonic: the deadline last promised. Never moves earlier.</summary>
    [JsonIgnore]
    public TimeSpan Deadline { get; init; }

    /// <summary>
    /// Monotonic: until then an earlier activation may have promised a deadline that this one does not know of.
    /// Decision inherited-floor-stays.
    /// </summary>
    [JsonIgnore]
    public TimeSpan InheritedUntil { get; init; }

    /// <summary>
    /// Monotonic: the end of <see cref="HorizonLength"/>, counted from when the horizon was made or loaded here. Nothing is promised
    /// beyond it: another activation waits no longer than that length, and a wall clock that has stepped back since may leave more.
    /// </summary>
    [JsonIgnore]
    internal TimeSpan HorizonEnds { get; init; }

    /// <summary>How far short of the horizon this activation stays: another clock wrote it.</summary>
    [JsonIgnore]
    public TimeSpan HorizonSkew { get; init; }

    /// <summary>The grant was sent to its caller more than once, or used, or may have been: it is not given back as undelivered.</summary>
    [JsonIgnore]
    public bool Delivered { get; init; }

    /// <summary>Monotonic: until then <see cref="LeaseCommand.GetAttachedKeys"/> is not answered again.</summary>
    [JsonIgnore]
    internal TimeSpan KeysShownUntil { get; init; }

    /// <summary>
    /// Monotonic: when the place is free. Until then a holder that shows its token is the holder. An order with notice moves
    /// nothing: it only bounds renewals. One by force ends what was promised.
    /// </summary>
    internal TimeSpan EndsAt => EndedByForce(Max(Deadline, InheritedUntil));

    /// <summary>Monotonic: how far renewals can still move the deadline.</summary>
    internal TimeSpan LatestEnd => Breaking?.Ends ?? TimeSpan.MaxValue;

    /// <summary>
    /// Monotonic: when an order will have ended it. Not before the place is free, which an inherited promise may put off.
    /// </summary>
    internal TimeSpan OrderedEnd => Max(LatestEnd, EndsAt);

    /// <summary>Whether the order ends it. A holder that stopped renewing before that let it expire, order or not.</summary>
    internal bool IsEndedByOrder => Breaking is { } order && order.Ends <= (order.Force ? EndsAt : Deadline);

    /// <summary>What the holder may be promised as left: never more than the monotonic deadline, the horizon or its length leave.</summary>
    internal TimeSpan Remaining(Instant now)
    {
        var byMonotonic = Min(EndedByForce(Deadline), HorizonEnds) - now.Monotonic;
        var byWall = Horizon - HorizonSkew - now.Latest;
        return Max(Min(byMonotonic, byWall), TimeSpan.Zero);
    }

    /// <summary>Stores a horizon of this incarnation's own; whatever others promised under an inherited one stays within it.</summary>
    internal Holder WithHorizon(TimeSpan wall, Instant now, LeaseRules rules)
    {
        var horizon = LeaseMachine.CeilToMillisecond(Max(wall, now.Latest + (InheritedUntil - now.Monotonic)));
        var length = LeaseMachine.CeilToMillisecond(horizon - now.Latest);
        return this with
        {
            Horizon = horizon,
            HorizonLength = length,
            HorizonEnds = now.Monotonic + length,
            HorizonBy = rules.Incarnation,
            HorizonSkew = TimeSpan.Zero,
        };
    }

    internal Holder Resume(Instant now, LeaseRules rules)
    {
        var skew = HorizonBy == rules.Incarnation ? TimeSpan.Zero : rules.ClockSkew;
        return this with
        {
            // They may lie in the past: a lease that ran out while nobody looked ended then, and its lock-delay began then.
            Deadline = now.Monotonic + Min(Horizon - now.Earliest, HorizonLength),
            InheritedUntil = now.Monotonic + Min(Horizon - now.Earliest + skew, HorizonLength + skew),
            HorizonEnds = now.Monotonic + HorizonLength,
            Breaking = Breaking?.Resume(now, longest: HorizonLength),
            HorizonSkew = skew,
            Hold = Hold?.Resume(now, rules),
            Delivered = true,
        };
    }

    internal static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    internal static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private TimeSpan EndedByForce(TimeSpan end) => Breaking is { Force: true } order ? Min(order.Ends, end) : end;
}

/// <summary>Keys that were bound to a lease when it ended.</summary>
/// <param name="Token">The token of the lease.</param>
/// <param name="Keys">Those that are not known to be cleaned up.</param>
internal sealed record PendingCleanUp(
    [property: JsonPropertyName("t")] long Token,
    [property: JsonPropertyName("k")] ImmutableArray<string> Keys);

/// <summary>An order that ends a lease against its holder's will: renewals extend it no further than the order's end.</summary>
internal sealed record BreakOrder
{
    /// <summary>Wall: the latest end.</summary>
    [JsonPropertyName("e")]
    public required TimeSpan EndsWall { get; init; }

    /// <summary>
    /// How far ahead that lay when it was stored, which bounds it whatever a clock says after a load; zero in records of
    /// before, whose order had the span of their horizon.
    /// </summary>
    [JsonPropertyName("s")]
    public TimeSpan Length { get; init; }

    /// <summary>Whether it ends whatever the holder was promised.</summary>
    [JsonPropertyName("f")]
    public bool Force { get; init; }

    /// <summary>Why.</summary>
    [JsonPropertyName("w")]
    public required string Reason { get; init; }

    /// <summary>Monotonic: the latest end.</summary>
    [JsonIgnore]
    public TimeSpan Ends { get; init; }

    internal BreakOrder Resume(Instant now, TimeSpan longest) => this with
    {
        Ends = now.Monotonic + Holder.Min(EndsWall - now.Earliest, Length > TimeSpan.Zero ? Length : longest),
    };
}

/// <summary>Names an activation: one keeper that loaded the record once.</summary>
/// <param name="Incarnation">The run of the host process.</param>
/// <param name="Activation">The load within it.</param>
internal readonly record struct ActivationId(
    [property: JsonPropertyName("i")] string? Incarnation,
    [property: JsonPropertyName("n")] long Activation);
