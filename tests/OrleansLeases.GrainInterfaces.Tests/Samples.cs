using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Collections.ObjectModel;

namespace OrleansLeases.GrainInterfaces.Tests;

/// <summary>Contracts of every kind: full ones, bare ones, and such as are never sent but must not be changed on the way.</summary>
internal static class Samples
{
    private const string Text = "tökyo/東京/🔑 \"'\\\u0000\u200d\ud83d\ude00";

    private static readonly DateTimeOffset When = new(2026, 2, 3, 4, 5, 6, 789, TimeSpan.FromHours(-9.5));

    private static readonly LeaseHolder Holder = new()
    {
        Owner = Text,
        Token = (1L << 53) - 1,
        Mode = LeaseMode.Shared,
        Ttl = TimeSpan.FromSeconds(30),
        Remaining = TimeSpan.FromTicks(1),
        Metadata = new Dictionary<string, string> { ["place"] = Text, [""] = "", ["ключ"] = "значение" },
        Keys = ["a", Text],
    };

    private static readonly LeaseWaiter Waiter = new() { Owner = Text, Mode = LeaseMode.Shared, Waited = TimeSpan.FromMilliseconds(1.5) };

    private static readonly ServiceMember Member = new()
    {
        Name = Text, Address = "10.0.0.7:11111", State = MemberState.Silent, Detail = Text, Version = "0.1.0",
        ClockOffset = TimeSpan.FromMilliseconds(-15), Held = 7, Waiters = 2, Records = 12, DiskBytes = 1L << 40,
    };

    private static readonly LeaseInfo Info = new()
    {
        Resource = Text,
        State = LeaseStatus.Delayed,
        Holders = [Holder, Holder with { Token = 1, Metadata = new Dictionary<string, string>(), Keys = [] }],
        Capacity = 3,
        AvailableIn = TimeSpan.FromMilliseconds(1.5),
        LastToken = 7,
        Waiters = 2,
        Queue = [Waiter, Waiter with { Owner = "you", Mode = LeaseMode.Exclusive, Waited = TimeSpan.Zero }],
        Sequence = 9,
    };

    private static readonly LeaseGrant Grant = new()
    {
        Resource = Text,
        Owner = "me",
        Token = 42,
        Mode = LeaseMode.Shared,
        Ttl = TimeSpan.FromSeconds(30),
        Remaining = TimeSpan.FromSeconds(29.9999999),
        Elapsed = TimeSpan.FromMilliseconds(3),
        RenewAfter = TimeSpan.FromSeconds(10),
        RequestId = "id",
        Replayed = true,
        Proof = "a.b.c",
    };

    private static readonly LeaseRenewal Renewal = new()
    {
        Resource = "r",
        Token = 42,
        Ttl = TimeSpan.FromSeconds(30),
        Remaining = TimeSpan.FromSeconds(30),
        Elapsed = TimeSpan.FromTicks(1),
        RenewAfter = TimeSpan.FromSeconds(10),
        Breaking = new() { EndsIn = TimeSpan.FromSeconds(1), Reason = Text },
    };

    private static readonly AcquireRequest Acquire = new()
    {
        Proof = true,
        Resource = Text,
        Owner = "me",
        Ttl = TimeSpan.FromSeconds(30),
        Mode = LeaseMode.Shared,
        Capacity = 3,
        Wait = TimeSpan.FromSeconds(25),
        LockDelay = TimeSpan.FromHours(24),
        HoldAtLeast = TimeSpan.FromHours(12),
        Metadata = new Dictionary<string, string> { ["host"] = Text },
        RequestId = "id",
    };

    private static readonly LeaseEvent Event = new()
    {
        Sequence = 1, Kind = LeaseEventKind.Broken, Owner = Text, Token = 42, At = When, Reason = Text,
    };

    private static readonly KeyLease Lease = new() { Resource = Text, Owner = Text, Token = 42 };

    private static readonly KeyValue Value = new() { Key = Text, Value = Text, Version = 3, Lease = Lease };

    private static readonly WatchPoint Point = new(long.MaxValue, History: 1L << 53);

    private static readonly LeaseEvent LeaseChange = new()
    {
        Resource = Text, Sequence = 3, Kind = LeaseEventKind.Transferred, Owner = Text, Token = 42, At = When, Reason = Text,
    };

    private static readonly KeyChange KeyChange = new()
    {
        Key = Text, Version = 3, Kind = KeyEventKind.KeyDeleted, At = When, Value = Text, Lease = Lease, Reason = Text,
    };

    private static readonly KeyInfo KeyInfo = new() { Key = Text, Version = 3, Value = Text, Lease = Lease };

    /// <summary>By a name for the test's report, the sample.</summary>
    public static IReadOnlyDictionary<string, object> All { get; } = new Dictionary<string, object>
    {
        ["acquire"] = Acquire,
        ["acquire, bare"] = new AcquireRequest { Resource = "r", Owner = "o", Ttl = TimeSpan.Zero },
        ["acquire, nothing but nulls"] = new AcquireRequest { Resource = null!, Owner = null!, Ttl = TimeSpan.MinValue },
        ["acquire, extremes"] = Acquire with
        {
            Ttl = TimeSpan.MaxValue, Mode = (LeaseMode)int.MinValue, Capacity = int.MinValue, Wait = TimeSpan.MinValue,
        },
        ["acquire, a null in its metadata"] = Acquire with { Metadata = new Dictionary<string, string> { ["a"] = null! } },
        ["acquire, metadata with a comparer"] = Acquire with
        {
            Metadata = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase) { ["A"] = "1" },
        },
        ["acquire, metadata that never changes"] = Acquire with
        {
            Metadata = ImmutableDictionary<string, string>.Empty.Add("a", "1").Add("b", "2"),
        },
        ["acquire, frozen metadata"] = Acquire with { Metadata = new Dictionary<string, string> { ["a"] = "1" }.ToFrozenDictionary() },
        ["acquire, sorted metadata"] = Acquire with { Metadata = new SortedDictionary<string, string> { ["b"] = "1", ["a"] = "2" } },
        ["acquire, no entries"] = Acquire with { Metadata = ReadOnlyDictionary<string, string>.Empty },
        ["grant"] = Grant,
        ["grant, extremes"] = Grant with
        {
            Token = long.MinValue, Remaining = TimeSpan.MaxValue, Elapsed = TimeSpan.MinValue, Replayed = false,
        },
        ["renew"] = new RenewRequest { Resource = Text, Owner = "me", Token = 42, Ttl = TimeSpan.FromSeconds(1) },
        ["renew, bare"] = new RenewRequest { Resource = "r", Owner = "o", Token = 0 },
        ["renewal"] = Renewal,
        ["renewal, not breaking"] = Renewal with { Breaking = null },
        ["notice"] = new BreakNotice { EndsIn = TimeSpan.FromSeconds(1), Reason = Text },
        ["release"] = new ReleaseRequest { Resource = Text, Owner = "me", Token = 42 },
        ["release, bare"] = new ReleaseRequest { Resource = "r", Owner = "o", Token = 1 },
        ["released"] = new LeaseRelease { Resource = Text, Token = 42, Replayed = true },
        ["transfer"] = new TransferRequest
        {
            Resource = Text, Owner = "me", Token = 42, NewOwner = Text, Ttl = TimeSpan.FromSeconds(1), RequestId = "id",
        },
        ["transfer, bare"] = new TransferRequest { Resource = "r", Owner = "o", Token = 1, NewOwner = "n" },
        ["break"] = new BreakRequest
        {
            Resource = Text, Token = 42, Grace = TimeSpan.FromSeconds(1), Force = true, Reason = Text, RequestId = "id",
        },
        ["break, bare"] = new BreakRequest { Resource = "r", Grace = TimeSpan.Zero, Reason = "why" },
        ["broken"] = new LeaseBreak { Resource = Text, Token = 42, EndsIn = TimeSpan.FromSeconds(1) },
        ["get"] = new GetLeaseRequest { Resource = Text, Consistent = true },
        ["get, bare"] = new GetLeaseRequest { Resource = "r" },
        ["info"] = Info,
        ["info, free"] = new LeaseInfo { Resource = "r", State = LeaseStatus.Free, Holders = [], LastToken = 0, Sequence = 0 },
        ["info, of lists"] = Info with
        {
            Holders = new List<LeaseHolder> { Holder with { Keys = ImmutableList.Create("k") } }.AsReadOnly(),
        },
        ["info, nothing but nulls"] = new LeaseInfo
        {
            Resource = null!, State = LeaseStatus.Free, Holders = null!, LastToken = 0, Sequence = 0,
        },
        ["members"] = new MemberList { Members = [Member, new() { Name = "bare", State = MemberState.Starting }] },
        ["members, nothing but nulls"] = new MemberList { Members = null! },
        ["member"] = Member,
        ["member, nothing but nulls"] = new ServiceMember { Name = null!, State = MemberState.Ready },
        ["waiter"] = Waiter,
        ["waiter, nothing but nulls"] = Waiter with { Owner = null! },
        ["holder"] = Holder,
        ["holder, nothing but nulls"] = Holder with { Owner = null!, Metadata = null!, Keys = null! },
        ["list"] = new ListLeasesRequest { Prefix = Text, Owner = "me", State = LeaseFilter.Any, PageSize = 7, After = Text },
        ["list, bare"] = new ListLeasesRequest(),
        ["list, extremes"] = new ListLeasesRequest { PageSize = int.MinValue, Prefix = "" },
        ["page"] = new LeasePage { Leases = [Info, Info], Next = Text, AsOf = When },
        ["page, empty"] = new LeasePage { Leases = [], AsOf = DateTimeOffset.MinValue },
        ["history"] = new LeaseHistory
        {
            Resource = Text, FirstSequence = 5, Events = [Event, Event with { Reason = null, At = DateTimeOffset.MaxValue }],
        },
        ["history, empty"] = new LeaseHistory { Resource = "r", FirstSequence = 1, Events = [] },
        ["event"] = Event,
        ["service"] = new ServiceInfo
        {
            Version = "1.2.3", Engine = "orleans", Durable = true, Epoch = 8191, Grace = TimeSpan.FromSeconds(60),
            Limits = new() { MaxBatch = 7 }, Service = "store", Retain = TimeSpan.FromDays(30),
        },
        ["limits"] = new LeaseLimits
        {
            MinTtl = TimeSpan.FromTicks(1), MaxTtl = TimeSpan.FromDays(365), MaxWait = TimeSpan.FromSeconds(1), MaxHolders = 1,
            MaxWaiters = 2, MaxBatch = 3, MaxKeys = 4,
        },
        ["limits, all zero"] = new LeaseLimits
        {
            MinTtl = default, MaxTtl = default, MaxWait = default, MaxHolders = 0, MaxWaiters = 0, MaxBatch = 0, MaxKeys = 0,
        },
        ["key's lease"] = Lease,
        ["put"] = new PutKeyRequest { Value = Text, Lease = Lease, IfVersion = 3, RequestId = "id", Ttl = TimeSpan.FromHours(12) },
        ["put, bare"] = new PutKeyRequest { Value = "" },
        ["put, if there is none"] = new PutKeyRequest { Value = "v", IfVersion = 0 },
        ["put, nothing but nulls"] = new PutKeyRequest { Value = null!, Lease = new() { Resource = null!, Owner = null!, Token = 0 } },
        ["key put"] = new KeyPut { Key = Text, Version = long.MaxValue },
        ["key"] = Value,
        ["key, free"] = Value with { Lease = null },
        ["key, deleted"] = new KeyDeletion { Key = Text, Existed = true },
        ["key, not there"] = new KeyDeletion { Key = "k", Existed = false },
        ["add"] = new AddToCounterRequest { Delta = long.MinValue, Lease = Lease, RequestId = "id" },
        ["add, bare"] = new AddToCounterRequest { Delta = 0 },
        ["counter"] = new CounterValue { Key = Text, Value = long.MinValue, Version = 3, Replayed = true },
        ["list keys"] = new ListKeysRequest { Prefix = Text, PageSize = 7, After = Text },
        ["list keys, bare"] = new ListKeysRequest(),
        ["key page"] = new KeyPage { Keys = new List<KeyValue> { Value, Value with { Lease = null } }.AsReadOnly(), Next = Text },
        ["key page, empty"] = new KeyPage { Keys = [] },
        ["key's state"] = KeyInfo,
        ["key's state, not there"] = new KeyInfo { Key = "k", Version = 0 },
        ["lease's change"] = LeaseChange,
        ["lease's change, bare"] = LeaseChange with { Reason = null },
        ["key's change"] = KeyChange,
        ["key's change, without its value"] = KeyChange with { Value = null, Lease = null },
        ["place"] = Point,
        ["place, a bare number"] = new WatchPoint(17),
        ["event: lease's state"] = new WatchEvent.LeaseSnapshot(Info) { ResumeFrom = Point },
        ["event: key's state"] = new WatchEvent.KeySnapshot(KeyInfo) { ResumeFrom = Point },
        ["event: lease changed"] = new WatchEvent.LeaseChanged(LeaseChange) { ResumeFrom = Point },
        ["event: lease changed, under a prefix"] = new WatchEvent.LeaseChanged(LeaseChange),
        ["event: key changed"] = new WatchEvent.KeyChanged(KeyChange) { ResumeFrom = new(3) },
        ["event: resync"] = WatchEvent.Resync.Instance,
        ["event: resync, with a place"] = WatchEvent.Resync.Instance with { ResumeFrom = Point },
        ["held by"] = new CurrentHolder { Owner = Text, Mode = LeaseMode.Shared, Remaining = TimeSpan.FromSeconds(1) },
        ["invalid request"] = new Refusal.InvalidRequest(
            new Dictionary<string, string[]> { ["ttlMs"] = ["too short", Text], ["owner"] = [] }, Text),
        ["invalid request, without errors"] = new Refusal.InvalidRequest(ImmutableDictionary<string, string[]>.Empty, ""),
        ["unauthorized"] = new Refusal.Unauthorized(Text),
        ["forbidden"] = new Refusal.Forbidden(Text),
        ["not found"] = new Refusal.NotFound(Text),
        ["held"] = new Refusal.Held(
            [new CurrentHolder { Owner = Text, Mode = LeaseMode.Shared, Remaining = TimeSpan.FromSeconds(1) }], SameOwner: true,
            Position: 3, TimeSpan.FromSeconds(2), Text),
        ["held, in the lock-delay"] = new Refusal.Held([], SameOwner: false, Position: 0, TimeSpan.Zero, "d"),
        ["not holder"] = new Refusal.NotHolder(NotHolderReason.NeverHeld, long.MaxValue, Text),
        ["conflict"] = new Refusal.Conflict(long.MinValue, Text),
        ["conflict, with nothing"] = new Refusal.Conflict(null, Text),
        ["conflict, with 0"] = new Refusal.Conflict(0, Text),
        ["limit reached"] = new Refusal.LimitReached("waiters", TimeSpan.MaxValue, Text),
        ["outcome unknown"] = new Refusal.OutcomeUnknown("id", Text),
        ["outcome unknown, no id"] = new Refusal.OutcomeUnknown(null, null!),
        ["unavailable"] = new Refusal.Unavailable(TimeSpan.FromSeconds(1), Text),
        ["result: grant"] = (LeaseResult<LeaseGrant>)Grant,
        ["result: renewal"] = (LeaseResult<LeaseRenewal>)Renewal,
        ["result: page"] = (LeaseResult<LeasePage>)new LeasePage { Leases = [Info], AsOf = When },
        ["result: key"] = (LeaseResult<KeyValue>)Value,
        ["result: events"] = (LeaseResult<WatchEvent[]>)new WatchEvent[]
        {
            WatchEvent.Resync.Instance, new WatchEvent.KeySnapshot(KeyInfo), new WatchEvent.LeaseChanged(LeaseChange),
        },
        ["result: no events yet"] = (LeaseResult<WatchEvent[]>)Array.Empty<WatchEvent>(),
        ["result: refusal"] = (LeaseResult<LeaseInfo>)new Refusal.Unavailable(TimeSpan.FromSeconds(1), Text),
        ["result: nothing"] = default(LeaseResult<LeaseGrant>),
    };
}
