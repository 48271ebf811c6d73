using OrleansLeases.Testing;

namespace OrleansLeases.Core.Tests;

/// <summary>The pure machine in one activation, with a clock to move, a line, and a record that passes through the codec.</summary>
internal sealed class MachineFixture
{
    public const string Resource = "r";

    private byte[]? _stored;
    private int _loads;

    public MachineFixture(LeaseRules? rules = null, ManualTimeProvider? time = null)
    {
        Rules = rules ?? NewRules();
        Time = time ?? new ManualTimeProvider();
        Clock = new LeaseClock(Time);
        Self = new ActivationId(Rules.Incarnation, 0);
    }

    public LeaseRules Rules { get; set; }

    public ManualTimeProvider Time { get; }

    public LeaseClock Clock { get; private set; }

    public ActivationId Self { get; set; }

    public LeaseState State { get; set; } = LeaseState.Unused;

    public List<QueuedRequest> Queue { get; } = [];

    public Outcome Last { get; private set; }

    public LeaseState Stored => _stored is null ? LeaseState.Unused : RecordCodec.Lease.Decode(_stored);

    public static LeaseRules NewRules(string incarnation = "a") => new() { Incarnation = incarnation };

    public LeaseReply Apply<TReply>(LeaseCommand<TReply> command)
        where TReply : class
    {
        var before = State;
        var transition = LeaseMachine.Apply(State, Queue, command, Clock.Read(), Self, Rules);
        Last = new(transition.Next, transition.Reply, transition.Granted, transition.Durable, transition.RequiresFreshRead);
        State = Last.Next;
        foreach (var served in Last.Granted) Queue.RemoveAll(place => place.Fingerprint.Id == served.Fingerprint.Id);
        if (Last.Durable)
        {
            Assert.Equal(before.Version + 1, State.Version);
            _stored = RecordCodec.Lease.Encode(State);
        }

        return Last.Reply;
    }

    public LeaseReply Acquire(AcquireRequest request) => Apply(LeaseCommand.Of(request));

    /// <summary>Acquires and expects to be granted.</summary>
    public long Grant(string owner = "me", double ttl = 10, string? id = null) =>
        Grant(Ask(owner, ttl, id));

    public long Grant(AcquireRequest request) => Assert.IsType<LeaseReply.Granted>(Acquire(request)).Token;

    public LeaseReply Renew(long token, string owner = "me", double? ttl = null) =>
        Apply(
            LeaseCommand.Of(
                new RenewRequest { Resource = Resource, Owner = owner, Token = token, Ttl = ttl is { } s ? Seconds(s) : null }));

    public LeaseReply Release(long token, string owner = "me", bool undelivered = false) =>
        Apply(new LeaseCommand.Release(new ReleaseRequest { Resource = Resource, Owner = owner, Token = token }, undelivered));

    public LeaseReply Transfer(long token, string to, string owner = "me", double? ttl = null, string id = "transfer") =>
        Apply(
            LeaseCommand.Of(
                new TransferRequest
                {
                    Resource = Resource, Owner = owner, Token = token, NewOwner = to, RequestId = id,
                    Ttl = ttl is { } s ? Seconds(s) : null,
                }));

    public LeaseReply Break(long? token, double grace, bool force = false, string id = "break", string reason = "upkeep") =>
        Apply(
            LeaseCommand.Of(
                new BreakRequest
                {
                    Resource = Resource, Token = token, Grace = Seconds(grace), Force = force, Reason = reason, RequestId = id,
                }));

    public LeaseReply Tick() => Apply(LeaseCommand.Tick.Instance);

    public void Wait(AcquireRequest request, bool present = true) =>
        Queue.Add(new QueuedRequest(request, RequestFingerprint.Of(request), present));

    public void Advance(double seconds) => Time.Advance(Seconds(seconds));

    /// <summary>What the holder of a token would be told now as left.</summary>
    public TimeSpan Told(long token) => State.Holders.Single(holder => holder.Token == token).Remaining(Clock.Read());

    /// <summary>Forgets all but what is stored, and loads that under a new claim: another process where an incarnation is named.</summary>
    public void Reload(string? incarnation = null)
    {
        if (incarnation is not null)
        {
            Rules = Rules with { Incarnation = incarnation };
            Clock = new LeaseClock(Time);
        }

        Self = new ActivationId(Rules.Incarnation, ++_loads);
        State = Stored.Resume(Clock.Read(), Rules);
    }

    public static AcquireRequest Ask(string owner = "me", double ttl = 10, string? id = null) =>
        new() { Resource = Resource, Owner = owner, Ttl = Seconds(ttl), RequestId = id ?? $"by {owner}" };

    public static AcquireRequest AskShared(string owner, int? capacity = null, double ttl = 10, string? id = null) =>
        Ask(owner, ttl, id) with { Mode = LeaseMode.Shared, Capacity = capacity };

    public static T Refused<T>(LeaseReply reply)
        where T : Refusal => Assert.IsType<T>(reply.Refusal);

    public static void NotHolder(NotHolderReason reason, LeaseReply reply, long? last = null)
    {
        var refusal = Refused<Refusal.NotHolder>(reply);
        Assert.Equal(reason, refusal.Reason);
        if (last is { } token) Assert.Equal(token, refusal.LastToken);
    }

    public static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(seconds);

    /// <summary>What a command of any kind did.</summary>
    internal readonly record struct Outcome(
        LeaseState Next, LeaseReply Reply, IReadOnlyList<GrantedRequest> Granted, bool Durable, bool RequiresFreshRead);
}
