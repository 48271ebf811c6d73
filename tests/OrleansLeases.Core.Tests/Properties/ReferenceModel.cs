namespace OrleansLeases.Core.Tests;

/// <summary>What a lease service must answer, said as simply as possible: one clock, no crash, nothing forgotten.</summary>
internal sealed class ReferenceModel(int maxHolders)
{
    private readonly Dictionary<(string Verb, string Id), (object Content, ModelLease Lease)> _applied = [];
    private int? _capacity;
    private (string Owner, TimeSpan Until)? _delay;
    private (string? Owner, TimeSpan Until) _held;

    public List<ModelLease> All { get; } = [];

    public List<AcquireRequest> Queue { get; } = [];

    public HashSet<string> Away { get; } = [];

    public List<(LeaseEventKind Kind, long Token)> Events { get; } = [];

    public TimeSpan Now { get; set; }

    public List<ModelLease> Holders => [.. All.Where(lease => lease.End is null)];

    public ModelAnswer Acquire(AcquireRequest request)
    {
        Expire();
        var answer = Replay("acquire", request.RequestId!, ContentOf(request)) ?? RefuseToAsk(request);
        if (answer is not null)
        {
            Serve(null);
            return answer;
        }

        Serve(request);
        if (_applied.TryGetValue(("acquire", request.RequestId!), out var mine)) return new("granted", mine.Lease.Token);
        var place = Queue.FindIndex(waiting => waiting.RequestId == request.RequestId);
        if (place < 0 && request.Wait == TimeSpan.Zero && request is { Mode: LeaseMode.Shared, Capacity: null }
            && Holders is [{ Mode: LeaseMode.Shared }, ..] and { Count: var count } && count >= maxHolders)
            return new("limit-reached");
        return new("held", (place < 0 ? Queue.Count : place) + 1, Flag: Holders.Exists(holder => holder.Owner == request.Owner));
    }

    public ModelAnswer Renew(RenewRequest request) => Then(() =>
    {
        if (Find(request.Token, request.Owner) is not { } lease) return NotHolder(request.Token, request.Owner);
        lease.Delivered = true;
        lease.Ttl = request.Ttl ?? lease.Ttl;
        lease.Deadline = Max(lease.Deadline, Min(Now + lease.Ttl, lease.OrderedEnd ?? TimeSpan.MaxValue));
        return new("renewed", lease.Token);
    });

    public ModelAnswer Release(ReleaseRequest request, bool undelivered) => Then(() =>
    {
        if (Find(request.Token, request.Owner) is not { } lease)
        {
            var answer = NotHolder(request.Token, request.Owner);
            return answer.Reason == NotHolderReason.Released ? new("released", request.Token, Flag: true) : answer;
        }

        if (undelivered && lease.Delivered) return new("released", request.Token, Flag: true);
        if (!undelivered && _delay?.Owner == request.Owner) _delay = null;
        Finish(lease, LeaseEventKind.Released, wasTold: !undelivered);
        return new("released", request.Token);
    });

    public ModelAnswer Transfer(TransferRequest request) => Then(() =>
    {
        if (Replay("transfer", request.RequestId!, (request.Owner, request.Token, request.NewOwner, request.Ttl)) is { } again)
        {
            return again;
        }

        if (Find(request.Token, request.Owner) is not { } lease) return NotHolder(request.Token, request.Owner);
        if (lease.OrderedEnd is not null) return new("conflict");
        if (request.NewOwner != request.Owner && Holders.Exists(holder => holder.Owner == request.NewOwner))
        {
            return new("held", 1, Flag: true);
        }

        var capacity = _capacity;
        Finish(lease, LeaseEventKind.Transferred);
        _capacity = capacity;
        var next = Add(request.NewOwner, lease.Mode, request.Ttl ?? lease.Ttl, lease.LockDelay, lease.HeldUntil);
        _applied[("transfer", request.RequestId!)] = ((request.Owner, request.Token, request.NewOwner, request.Ttl), next);
        return new("granted", next.Token);
    });

    public ModelAnswer Break(BreakRequest request) => Then(() =>
    {
        object content = (request.Token, request.Grace, request.Force, request.Reason);
        if (_applied.TryGetValue(("break", request.RequestId!), out var done))
            return done.Content.Equals(content)
                ? new("breaking", done.Lease.Token, Ends: done.Lease.End is null ? done.Lease.OrderedEnd : Now)
                : new("conflict");
        if (request.Token is null && Holders.Count > 1) return new("invalid-request");
        var lease = request.Token is { } token ? Find(token) : Holders.SingleOrDefault();
        if (lease is null) return NotHolder(request.Token ?? All.Count);
        var ends = Now + request.Grace;
        if (!request.Force) ends = Max(ends, lease.EndsAt);
        if (lease.OrderedEnd is null || ends < lease.OrderedEnd) (lease.OrderedEnd, lease.Forced) = (ends, request.Force);
        Events.Add((LeaseEventKind.Breaking, lease.Token));
        _applied[("break", request.RequestId!)] = (content, lease);
        return new("breaking", lease.Token, Ends: lease.OrderedEnd);
    });

    public ModelAnswer Tick() => Then(() => new("seen"));

    private static object ContentOf(AcquireRequest request) =>
        (request.Owner, request.Ttl, request.Mode, request.Capacity, request.LockDelay, request.HoldAtLeast);

    private static TimeSpan Min(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    private ModelAnswer Then(Func<ModelAnswer> verb)
    {
        Expire();
        var answer = verb();
        Expire();
        Serve(null);
        return answer;
    }

    private ModelAnswer? Replay(string verb, string id, object content)
    {
        if (!_applied.TryGetValue((verb, id), out var done)) return null;
        if (!done.Content.Equals(content)) return new("conflict");
        if (done.Lease.End is not null) return NotHolder(done.Lease.Token, done.Lease.Owner);
        done.Lease.Delivered = true;
        return new("granted", done.Lease.Token, Flag: true);
    }

    private ModelAnswer? RefuseToAsk(AcquireRequest request)
    {
        if (Queue.Exists(place => place.RequestId == request.RequestId && !ContentOf(place).Equals(ContentOf(request))))
        {
            return new("conflict");
        }

        if (request.Mode == LeaseMode.Exclusive) return null;
        if (Holders is [{ Mode: LeaseMode.Shared }, ..]) return _capacity == request.Capacity ? null : new("conflict");
        var other = Queue.Find(place => place.Mode == LeaseMode.Shared && place.RequestId != request.RequestId);
        return other is null || other.Capacity == request.Capacity ? null : new("conflict");
    }

    private void Serve(AcquireRequest? asking)
    {
        var places = Queue.Where(place => !Away.Contains(place.RequestId!) || place.RequestId == asking?.RequestId).ToList();
        if (asking is not null && !places.Exists(place => place.RequestId == asking.RequestId)) places.Add(asking);
        foreach (var place in places)
        {
            if (Holders.Exists(holder => holder.Owner == place.Owner)) continue;
            if (_delay is { } delay && Now < delay.Until && delay.Owner != place.Owner) continue;
            if (Now < _held.Until && _held.Owner != place.Owner) continue;
            if (!Fits(place)) return;
            if (Holders.Count == 0) _capacity = place.Capacity;
            var lease = Add(place.Owner, place.Mode, place.Ttl, place.LockDelay, Now + place.HoldAtLeast);
            _applied[("acquire", place.RequestId!)] = (ContentOf(place), lease);
            Queue.RemoveAll(waiting => waiting.RequestId == place.RequestId);
        }
    }

    private bool Fits(AcquireRequest request) => Holders.Count == 0
        || (request.Mode == LeaseMode.Shared && Holders[0].Mode == LeaseMode.Shared && request.Capacity == _capacity
            && Holders.Count < (_capacity ?? maxHolders));

    private ModelLease Add(string owner, LeaseMode mode, TimeSpan ttl, TimeSpan lockDelay, TimeSpan heldUntil)
    {
        var lease = new ModelLease(All.Count + 1, owner, mode, lockDelay) { Ttl = ttl, Deadline = Now + ttl, HeldUntil = heldUntil };
        All.Add(lease);
        Events.Add((LeaseEventKind.Granted, lease.Token));
        return lease;
    }

    private void Expire()
    {
        foreach (var lease in Holders.Where(holder => holder.EndsAt <= Now))
        {
            var until = lease.EndsAt + lease.LockDelay;
            var broken = lease.OrderedEnd <= lease.Deadline;
            if ((!broken || lease.Forced) && until > Now && lease.LockDelay > TimeSpan.Zero && !(until <= _delay?.Until))
            {
                _delay = (lease.Owner, until);
            }

            Finish(lease, broken ? LeaseEventKind.Broken : LeaseEventKind.Expired);
        }
    }

    private void Finish(ModelLease lease, LeaseEventKind how, bool wasTold = true)
    {
        if (lease.HeldUntil > Now && how != LeaseEventKind.Transferred && wasTold)
        {
            var alone = _held.Until <= Now || _held.Owner == lease.Owner;
            _held = (alone ? lease.Owner : null, Max(lease.HeldUntil, _held.Until));
        }

        lease.End = how;
        Events.Add((how, lease.Token));
    }

    private ModelLease? Find(long token, string? owner = null) =>
        Holders.Find(holder => holder.Token == token && (owner is null || holder.Owner == owner));

    private ModelAnswer NotHolder(long token, string? owner = null)
    {
        var lease = All.Find(one => one.Token == token);
        var knows = lease?.End is not null && (owner is null || lease.Owner == owner);
        return new("not-holder", Reason: !knows ? NotHolderReason.NeverHeld : lease!.End switch
        {
            LeaseEventKind.Released => NotHolderReason.Released,
            LeaseEventKind.Transferred => NotHolderReason.Transferred,
            LeaseEventKind.Broken => NotHolderReason.Broken,
            _ => NotHolderReason.Expired,
        });
    }
}

internal sealed class ModelLease(long token, string owner, LeaseMode mode, TimeSpan lockDelay)
{
    public long Token { get; } = token;

    public string Owner { get; } = owner;

    public LeaseMode Mode { get; } = mode;

    public TimeSpan LockDelay { get; } = lockDelay;

    public required TimeSpan HeldUntil { get; init; }

    public TimeSpan Ttl { get; set; }

    public TimeSpan Deadline { get; set; }

    public TimeSpan? OrderedEnd { get; set; }

    public bool Forced { get; set; }

    public bool Delivered { get; set; }

    public LeaseEventKind? End { get; set; }

    public TimeSpan EndsAt => Forced && OrderedEnd < Deadline ? OrderedEnd.Value : Deadline;
}

/// <summary>An answer: the word of the contract, a token or position, and what else is told.</summary>
internal sealed record ModelAnswer(string Word, long Number = 0, bool Flag = false, NotHolderReason? Reason = null, TimeSpan? Ends = null)
{
    public static ModelAnswer Of(LeaseReply reply) => reply switch
    {
        LeaseReply.Granted granted => new("granted", granted.Token, granted.Replayed),
        LeaseReply.Renewed renewed => new("renewed", renewed.Token),
        LeaseReply.Released released => new("released", released.Token, released.Replayed),
        LeaseReply.Breaking breaking => new("breaking", breaking.Token, Ends: breaking.Ends),
        { Refusal: Refusal.Held held } => new("held", held.Position, held.SameOwner),
        { Refusal: Refusal.NotHolder gone } => new("not-holder", Reason: gone.Reason),
        { Refusal: Refusal.Conflict } => new("conflict"),
        { Refusal: Refusal.LimitReached } => new("limit-reached"),
        { Refusal: Refusal.InvalidRequest } => new("invalid-request"),
        _ => new("seen"),
    };
}
