namespace OrleansLeases.Core;

/// <summary>
/// What one principal uses of one quota, by what this server has answered it. It notes only what the quota bounds, so that the bounds
/// are those of its memory too; and it forgets nothing by itself: at a bound it is looked at again what is still there
/// (<see cref="CallerQuotas"/>). Thread-safe.
/// </summary>
internal sealed class QuotaUse
{
    private const int RememberedNames = 10_000;

    // At a bound so much is looked at again at once, and so often: whoever is there asks again and again. Keys have no end that is
    // known, so that they are looked at less and less while all of them are still there.
    private const int LooksAtOnce = 32;
    private static readonly TimeSpan LookAfter = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LookAfterAtMost = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan IdleAfter = TimeSpan.FromHours(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Resource, long Token), HeldLease> _leases = [];
    private readonly HashSet<(string Resource, string RequestId)> _requests = [];
    private readonly Dictionary<string, (int Bytes, TimeSpan Looked)> _keys = new(StringComparer.Ordinal);
    private readonly HashSet<(string Name, bool IsKey)> _names = [];
    private readonly Queue<(string Name, bool IsKey)> _namesInOrder = new();
    private RateBound _calls = new(TimeSpan.FromSeconds(1));
    private RateBound _freshNames = new(TimeSpan.FromMinutes(1));
    private TimeSpan _nextLeaseLook;
    private TimeSpan _nextKeyLook;
    private TimeSpan _keyLookAfter = LookAfter;
    private TimeSpan _called;
    private bool _isRetired;
    private long _keyBytes;
    private long _unknown;
    private int _asked;
    private int _waits;
    private int _watches;
    private int _puts;
    private long _putBytes;

    /// <summary>Whether it counts nothing any more, and another one is to be made.</summary>
    public bool IsRetired
    {
        get
        {
            lock (_lock) return _isRetired;
        }
    }

    /// <summary>Takes what a call needs, or names the bound it would exceed and takes nothing.</summary>
    /// <returns>False where this one has retired.</returns>
    public bool TryTake(QuotaRule rule, in Demand demand, TimeSpan now, out Refusal.LimitReached? refusal)
    {
        lock (_lock)
        {
            refusal = null;
            if (_isRetired) return false;
            _called = now;
            refusal = Exceeded(rule, demand, now);
            if (refusal is not null) return true;
            if (rule.CallsPerSecond is not null) _calls.Take();
            if (rule.FreshNamesPerMinute is not null && demand.UsesName && _names.Add(NameOf(demand))) Remember(NameOf(demand));
            Count(demand, 1);
            return true;
        }
    }

    /// <summary>Takes a call that was refused anyway, or says that there were too many.</summary>
    /// <returns>False where this one has retired.</returns>
    public bool TryTakeCall(QuotaRule rule, TimeSpan now, out Refusal.LimitReached? refusal)
    {
        lock (_lock)
        {
            refusal = null;
            if (_isRetired) return false;
            _called = now;
            if (rule.CallsPerSecond is not { } calls) return true;
            if (_calls.WaitFor(calls, now) is { Ticks: > 0 } pause) refusal = Over("callsPerSecond", calls, pause);
            else _calls.Take();
            return true;
        }
    }

    /// <summary>Whether the principal has not called for long, so that it is worth a look what is left.</summary>
    public bool IsIdle(TimeSpan now)
    {
        lock (_lock) return now - _called >= IdleAfter;
    }

    /// <summary>Ends the counting of an idle principal that has nothing left; one that has is looked at again after as long.</summary>
    public bool TryRetire(TimeSpan now)
    {
        lock (_lock)
        {
            if (now - _called < IdleAfter) return false;
            _called = now;
            return _isRetired = _leases.Count == 0 && _keys.Count == 0 && (_asked | _waits | _watches | _puts) == 0;
        }
    }

    /// <summary>Gives back what a call took while it was under way.</summary>
    public void Return(in Demand demand)
    {
        lock (_lock) Count(demand, -1);
    }

    /// <summary>
    /// Notes what a call left behind, or may have left. Its own share of what is under way goes back; a watch's stays until it ends.
    /// </summary>
    public void Settle(QuotaRule rule, in Demand demand, object content, TimeSpan now)
    {
        lock (_lock)
        {
            Count(content is LeaseWatch ? demand with { Watches = false } : demand, -1);
            var isUnknown = content is Refusal.OutcomeUnknown;
            if (rule.Leases is not null)
            {
                if (content is LeaseGrant grant) Hold(grant.Resource, grant.Token, grant.Owner, now + grant.Remaining, demand.RequestId);
                else if (isUnknown && demand.Owner is { } owner) Hold(demand.Name, --_unknown, owner, now, demand.RequestId);
            }

            if (demand.KeyBytes is { } bytes && (rule.Keys ?? rule.KeyBytes) is not null && (isUnknown || content is not Refusal))
                Put(demand.Name, bytes, now);
        }
    }

    public void Ended(string resource, long token)
    {
        lock (_lock) Drop((resource, token));
    }

    public void Deleted(string key)
    {
        lock (_lock) Forget(key);
    }

    /// <summary>What may have ended meanwhile, a few of it; nothing where that was looked at just now.</summary>
    public HeldLease[] LeasesToLookAt(TimeSpan now)
    {
        lock (_lock)
        {
            if (now < _nextLeaseLook) return [];
            _nextLeaseLook = now + LookAfter;
            return [.. _leases.Values.Where(lease => lease.End <= now).OrderBy(lease => lease.End).Take(LooksAtOnce)];
        }
    }

    /// <summary>What may have gone meanwhile, a few of it; nothing where that was looked at just now.</summary>
    public string[] KeysToLookAt(TimeSpan now)
    {
        lock (_lock)
        {
            if (now < _nextKeyLook) return [];
            _nextKeyLook = now + _keyLookAfter;
            // Until one is found that has gone.
            if (_keyLookAfter < LookAfterAtMost) _keyLookAfter *= 2;
            return [.. _keys.OrderBy(key => key.Value.Looked).Take(LooksAtOnce).Select(key => key.Key)];
        }
    }

    /// <summary>Notes what was found of a lease: how it goes on, or that it has ended.</summary>
    public void Found(HeldLease lease, LeaseHolder? holder, TimeSpan now)
    {
        lock (_lock)
        {
            if (!_leases.ContainsKey((lease.Resource, lease.Token))) return;
            Drop((lease.Resource, lease.Token));
            if (holder is not null) Hold(lease.Resource, holder.Token, holder.Owner, now + holder.Remaining, lease.RequestId);
        }
    }

    /// <summary>Notes whether a key is there.</summary>
    public void Found(string key, bool isThere, TimeSpan now)
    {
        lock (_lock)
        {
            if (!isThere)
            {
                Forget(key);
                _keyLookAfter = LookAfter;
            }
            else if (_keys.TryGetValue(key, out var known)) _keys[key] = known with { Looked = now };
        }
    }

    private static Refusal.LimitReached Over(string quota, long bound, TimeSpan wait) => new(
        quota,
        wait,
        $"The quota '{quota}' of this caller is {bound} at this server; ask again later, or have it raised where its rules are.");

    private Refusal.LimitReached? Exceeded(QuotaRule rule, in Demand demand, TimeSpan now)
    {
        var soon = TimeSpan.FromSeconds(1);
        if (rule.CallsPerSecond is { } calls && _calls.WaitFor(calls, now) is { Ticks: > 0 } pause)
            return Over("callsPerSecond", calls, pause);
        if (demand.Owner is not null && _leases.Count + _asked >= rule.Leases && !IsRepeat(demand))
            return Over("leases", rule.Leases.Value, soon);
        if (demand.Waits && _waits >= rule.Waits) return Over("waits", rule.Waits.Value, soon);
        if (demand.Watches && _watches >= rule.Watches) return Over("watches", rule.Watches.Value, soon);
        if (demand.KeyBytes is { } bytes)
        {
            var before = _keys.TryGetValue(demand.Name, out var known) ? known.Bytes : (int?)null;
            if (before is null && _keys.Count + _puts >= rule.Keys) return Over("keys", rule.Keys.Value, soon);
            if (_keyBytes - (before ?? 0) + _putBytes + bytes > rule.KeyBytes) return Over("keyBytes", rule.KeyBytes.Value, soon);
        }

        if (!demand.UsesName || rule.FreshNamesPerMinute is not { } fresh || _names.Contains(NameOf(demand))) return null;
        if (_freshNames.WaitFor(fresh, now) is { Ticks: > 0 } wait) return Over("freshNamesPerMinute", fresh, wait);
        _freshNames.Take();
        return null;
    }

    private bool IsRepeat(in Demand demand) => demand.RequestId is { } id && _requests.Contains((demand.Name, id));

    private void Count(in Demand demand, int by)
    {
        if (demand.Owner is not null) _asked += by;
        if (demand.Waits) _waits += by;
        if (demand.Watches) _watches += by;
        if (demand.KeyBytes is not { } bytes) return;
        _puts += by;
        _putBytes += by * (long)bytes;
    }

    private static (string Name, bool IsKey) NameOf(in Demand demand) => (demand.Name, demand.KeyBytes is not null);

    private void Remember((string Name, bool IsKey) name)
    {
        _namesInOrder.Enqueue(name);
        if (_namesInOrder.Count > RememberedNames) _names.Remove(_namesInOrder.Dequeue());
    }

    private void Hold(string resource, long token, string owner, TimeSpan end, string? requestId)
    {
        // What a repeat of the request was granted takes the place of what was not known.
        if (requestId is not null && !_requests.Add((resource, requestId)))
        {
            foreach (var lease in _leases.Where(lease => lease.Key.Resource == resource && lease.Value.RequestId == requestId).ToArray())
                _leases.Remove(lease.Key);
        }

        _leases[(resource, token)] = new(resource, token, owner, end, requestId);
    }

    private void Drop((string Resource, long Token) key)
    {
        if (_leases.Remove(key, out var lease) && lease.RequestId is { } id) _requests.Remove((key.Resource, id));
    }

    private void Put(string key, int bytes, TimeSpan now)
    {
        Forget(key);
        _keys[key] = (bytes, now);
        _keyBytes += bytes;
    }

    private void Forget(string key)
    {
        if (_keys.Remove(key, out var gone)) _keyBytes -= gone.Bytes;
    }

    /// <summary>A lease that the principal was granted, or may have been: then its token is below zero.</summary>
    internal sealed record HeldLease(string Resource, long Token, string Owner, TimeSpan End, string? RequestId)
    {
        public bool Is(LeaseHolder holder) => Token > 0 ? holder.Token == Token : holder.Owner == Owner;
    }
}
