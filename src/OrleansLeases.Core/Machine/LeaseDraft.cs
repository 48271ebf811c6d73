using System.Collections.Immutable;

namespace OrleansLeases.Core;

/// <summary>The next record in the making. Lives for one command.</summary>
internal sealed partial class LeaseDraft(
    LeaseState state, IReadOnlyList<QueuedRequest> queue, Instant now, ActivationId self, LeaseRules rules)
{
    private static readonly TimeSpan IdleKeptFor = TimeSpan.FromMinutes(10);

    private ImmutableArray<Holder> _holders = state.Holders;
    private BlockLog<LogEntry> _log = state.Log;
    private ImmutableList<PendingCleanUp>? _pending = state.Pending;
    private Delays _delays = state.Delays;
    private int? _capacity = state.Capacity;
    private long _lastToken = state.LastToken;
    private bool _durable;
    private bool _touched;
    private bool _requiresFreshRead;
    private bool _queueServed;
    private List<GrantedRequest>? _granted;

    public Transition<TReply> Finish<TReply>(LeaseReply<TReply> reply)
        where TReply : class
    {
        if (!_queueServed)
        {
            // A forced break without notice ends, and the queue moves up, in the write that orders it.
            EndWhatIsOver();
            ServeQueue(newcomer: null);
        }

        if (!_durable && !_touched) return new(state, reply, [], false, _requiresFreshRead);
        var next = state with
        {
            Schema = LeaseState.SchemaFor(_holders, _delays),
            Holders = _holders,
            Log = _log,
            Pending = _pending,
            Delay = _delays.Lock,
            Hold = _delays.Hold,
            Capacity = _capacity,
            LastToken = _lastToken,
            Version = _durable ? state.NextVersion : state.Version,
            IdleSince = _durable ? IdleSince() : state.IdleSince,
            // The activation that writes has won the compare-and-swap, and so owns the right to renew in memory. The write does
            // not touch another holder's horizon, nor who is counted as its writer.
            Claim = _durable ? self : state.Claim,
        };
        return new(next, reply, (IReadOnlyList<GrantedRequest>?)_granted ?? [], _durable, _requiresFreshRead);
    }

    /// <summary>Records what has expired. An end is stored before any response shows it, so every command starts here.</summary>
    public void EndWhatIsOver()
    {
        // Left in the record, an end that has passed would wake the keeper again and again, for someone whom it lets wait all the same.
        var running = _delays.At(now);
        if (running != _delays) (_delays, _touched) = (running, true);
        for (var i = 0; i < _holders.Length;)
        {
            var holder = _holders[i];
            if (now.Monotonic < holder.EndsAt)
            {
                i++;
                continue;
            }

            var order = holder.IsEndedByOrder ? holder.Breaking : null;
            var kind = order is null ? LeaseEventKind.Expired : LeaseEventKind.Broken;
            var ended = now.Latest - (now.Monotonic - holder.EndsAt);
            if (order is not { Force: false }) StartDelay(holder);
            KeepHeld(holder);
            End(i, kind, ended, order?.Reason, default);
        }
    }

    /// <summary>Grants whatever can be granted, in order: the queued requests first, then the one that asks now.</summary>
    private void ServeQueue(LeaseCommand.Acquire? newcomer)
    {
        _queueServed = true;
        foreach (var queued in queue)
        {
            var asks = newcomer?.Fingerprint.Id == queued.Fingerprint.Id;
            if ((queued.Present || asks) && !TryGrant(queued.Request, queued.Fingerprint)) return;
        }

        // One that is queued was tried in its place, and nothing comes of a second time.
        if (newcomer is not null) TryGrant(newcomer.Request, newcomer.Fingerprint);
    }

    /// <summary>Grants a request if it fits.</summary>
    /// <returns>Whether the requests behind it may pass.</returns>
    private bool TryGrant(AcquireRequest request, RequestFingerprint fingerprint)
    {
        // Someone bound by a delay, or holding already, neither passes nor keeps others from passing.
        if (HeldBy(request.Owner) || _delays.Bind(request.Owner)) return true;
        // First come, first served: a request that does not fit keeps all behind it from overtaking.
        if (!Fits(request) || !HasToken) return false;
        (_granted ??= []).Add(new(fingerprint, Grant(request, fingerprint)));
        return true;
    }

    private bool Fits(AcquireRequest request) =>
        _holders.IsEmpty
        || (request.Mode == LeaseMode.Shared && _holders[0].Mode == LeaseMode.Shared
            && request.Capacity == _capacity && _holders.Length < (_capacity ?? rules.Limits.MaxHolders));

    private bool HeldBy(string owner)
    {
        foreach (var holder in _holders)
        {
            if (holder.Owner == owner) return true;
        }

        return false;
    }

    // Kept for a while by what is held: where a store has it in an index, a name that is used again and again need not move there.
    private TimeSpan? IdleSince() =>
        _holders.IsEmpty && _pending is null ? LeaseMachine.CeilToMillisecond(now.Latest)
        : now.Latest - state.IdleSince > IdleKeptFor ? null
        : state.IdleSince;

    private bool HasToken => TokenAfter(_lastToken) >> LeaseRules.CounterBits <= rules.TokenFloor >> LeaseRules.CounterBits;

    private long TokenAfter(long token) => Math.Max(token, Math.Max(rules.TokenFloor, state.DroppedToken)) + 1;

    private long Add(Holder holder)
    {
        _holders = _holders.Add(holder);
        Record(LeaseEventKind.Granted, holder.Owner, holder.Token, now.Latest, null, holder.Request);
        return holder.Token;
    }

    private void End(int index, LeaseEventKind kind, TimeSpan at, string? reason, RequestFingerprint fingerprint)
    {
        var holder = _holders[index];
        _holders = _holders.RemoveAt(index);
        if (_holders.IsEmpty) _capacity = null;
        // In the write that ends the lease: a caller that hears of the end finds its keys invisible, and no crash forgets them.
        if (holder.Keys is { } keys)
            _pending = (_pending ?? []).Add(new(holder.Token, [.. keys.Keys]));
        Record(kind, holder.Owner, holder.Token, at, reason, fingerprint);
    }

    private void StartDelay(Holder holder)
    {
        var ends = holder.EndsAt + holder.LockDelay;
        if (ends <= now.Monotonic) return;
        var delay = Delay.Until(ends, holder.Owner, holder.LockDelay, now);
        if (_delays.Lock is { } before) delay = delay.And(before, ends <= before.Ends ? before.Owner : holder.Owner);
        _delays = _delays with { Lock = delay };
    }

    // A transfer hands it on to the new holder instead.
    private void KeepHeld(Holder holder)
    {
        if (holder.Hold is not { } hold || now.Monotonic >= hold.Ends) return;
        // Of two owners each has to wait for the other's: one of them for longer than it must, and nobody for less.
        if (_delays.Hold is { } before) hold = hold.And(before, before.Owner == hold.Owner ? hold.Owner : Delay.Nobody);
        _delays = _delays with { Hold = hold };
    }

    private void Record(LeaseEventKind kind, string owner, long token, TimeSpan at, string? reason, RequestFingerprint fingerprint)
    {
        _log = _log.Append(new LogEntry(kind, token, at, owner, reason, fingerprint), rules.LogLength);
        _durable = true;
    }

    private int IndexOf(long token, string? owner = null)
    {
        for (var i = 0; i < _holders.Length; i++)
        {
            if (_holders[i].Token == token) return owner is null || _holders[i].Owner == owner ? i : -1;
        }

        return -1;
    }

    private void Replace(int index, Holder holder, bool durable)
    {
        _holders = _holders.SetItem(index, holder);
        _durable |= durable;
        _touched = true;
    }
}
