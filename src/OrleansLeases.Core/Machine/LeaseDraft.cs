using System.Collections.Immutable;

namespace OrleansLeases.Core;

/// <summary>The next record in the making. Lives for one command.</summary>
internal sealed partial class LeaseDraft(LeaseState state, IReadOnlyList<WaitingPlace> line, Now now, Claim self, LeaseRules rules)
{
    private ImmutableArray<Holder> _holders = state.Holders;
    private BlockLog<LogEntry> _log = state.Log;
    private ImmutableList<PendingCleanUp>? _pending = state.Pending;
    private LockDelay? _delay = state.Delay;
    private int? _capacity = state.Capacity;
    private long _lastToken = state.LastToken;
    private bool _durable;
    private bool _touched;
    private bool _checkFirst;
    private bool _lineServed;
    private List<ServedPlace>? _served;

    public Transition<TReply> Finish<TReply>(LeaseReply<TReply> reply)
        where TReply : class
    {
        if (!_lineServed)
        {
            // A forced break without notice ends, and the line moves up, in the write that orders it.
            EndWhatIsOver();
            ServeLine(newcomer: null);
        }

        if (!_durable && !_touched) return new(state, reply, [], false, _checkFirst);
        var next = state with
        {
            Holders = _holders,
            Log = _log,
            Pending = _pending,
            // Once it is over, it need not be kept.
            Delay = _delay is { } delay && now.Mono < delay.Ends ? delay : null,
            Capacity = _capacity,
            LastToken = _lastToken,
            Version = _durable ? state.Version + 1 : state.Version,
            // Whoever writes has won the compare-and-swap, and so owns the right to renew in memory. The write does
            // not touch another holder's horizon, nor who is counted as its writer.
            Claim = _durable ? self : state.Claim,
        };
        return new(next, reply, (IReadOnlyList<ServedPlace>?)_served ?? [], _durable, _checkFirst);
    }

    /// <summary>Records what time has ended. An end is stored before it is told, so every command starts here.</summary>
    public void EndWhatIsOver()
    {
        for (var i = 0; i < _holders.Length;)
        {
            var holder = _holders[i];
            if (now.Mono < holder.EndsAt)
            {
                i++;
                continue;
            }

            var order = holder.IsEndedByOrder ? holder.Breaking : null;
            var kind = order is null ? LeaseEventKind.Expired : LeaseEventKind.Broken;
            var ended = now.Late - (now.Mono - holder.EndsAt);
            if (holder.LockDelay > TimeSpan.Zero && order is not { Force: false }) StartDelay(holder);
            End(i, kind, ended, order?.Reason, default);
        }
    }

    /// <summary>Grants whatever can be granted, in order: the line first, then the request that asks now.</summary>
    private void ServeLine(LeaseCommand.Acquire? newcomer)
    {
        _lineServed = true;
        var inLine = false;
        foreach (var place in line)
        {
            var asks = newcomer is not null && newcomer.Stamp.Id == place.Stamp.Id;
            inLine |= asks;
            if ((place.Present || asks) && !Serve(place.Request, place.Stamp)) return;
        }

        if (!inLine && newcomer is not null) Serve(newcomer.Request, newcomer.Stamp);
    }

    /// <summary>Serves a place if it can; the answer is whether those behind it may pass.</summary>
    private bool Serve(AcquireRequest request, RequestStamp stamp)
    {
        // Someone bound by the lock-delay, or holding already, neither passes nor keeps others from passing.
        if (HeldBy(request.Owner) || Delays(request.Owner)) return true;
        // First come, first served: whoever does not fit keeps everyone behind from overtaking.
        if (!Fits(request) || !HasToken) return false;
        (_served ??= []).Add(new(stamp, Grant(request, stamp)));
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

    private bool Delays(string owner) => _delay is { } delay && now.Mono < delay.Ends && delay.Owner != owner;

    private bool HasToken => TokenAfter(_lastToken) >> LeaseRules.CounterBits <= rules.TokenFloor >> LeaseRules.CounterBits;

    private long TokenAfter(long token) => Math.Max(token, rules.TokenFloor) + 1;

    private long Grant(AcquireRequest request, RequestStamp stamp)
    {
        if (_holders.IsEmpty) _capacity = request.Mode == LeaseMode.Shared ? request.Capacity : null;
        return Add(new Holder
        {
            Owner = request.Owner,
            Token = _lastToken = TokenAfter(_lastToken),
            Mode = request.Mode,
            Ttl = request.Ttl,
            Horizon = TimeSpan.Zero,
            Span = TimeSpan.Zero,
            HorizonBy = rules.Incarnation,
            LockDelay = request.LockDelay,
            // A copy: in one process the caller may still hold the dictionary it asked with.
            Metadata = request.Metadata is { Count: > 0 } metadata ? new Dictionary<string, string>(metadata) : null,
            Request = stamp,
            Deadline = now.Mono + request.Ttl,
        }.WithHorizon(now.Late + request.Ttl, now, rules));
    }

    private long Add(Holder holder)
    {
        _holders = _holders.Add(holder);
        Record(LeaseEventKind.Granted, holder.Owner, holder.Token, now.Late, null, holder.Request);
        return holder.Token;
    }

    private void End(int index, LeaseEventKind kind, TimeSpan at, string? reason, RequestStamp stamp)
    {
        var holder = _holders[index];
        _holders = _holders.RemoveAt(index);
        if (_holders.IsEmpty) _capacity = null;
        // In the write that ends the lease: whoever is told of the end finds its keys invisible, and no crash forgets them.
        if (holder.Keys is { } keys) _pending = (_pending ?? []).Add(new(holder.Token, LeaseMachine.CeilToMillisecond(now.Late), [.. keys.Keys]));
        Record(kind, holder.Owner, holder.Token, at, reason, stamp);
    }

    private void StartDelay(Holder holder)
    {
        var ends = holder.EndsAt + holder.LockDelay;
        if (ends <= now.Mono || ends <= _delay?.Ends) return;
        _delay = new LockDelay
        {
            Owner = holder.Owner,
            Length = holder.LockDelay,
            Ends = ends,
            EndsWall = LeaseMachine.CeilToMillisecond(now.Late + (ends - now.Mono)),
        };
    }

    private void Record(LeaseEventKind kind, string owner, long token, TimeSpan at, string? reason, RequestStamp stamp)
    {
        _log = _log.Append(new LogEntry(kind, token, at, owner, reason, stamp), rules.LogLength);
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
