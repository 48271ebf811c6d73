using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace OrleansLeases.Core;

/// <summary>
/// What one principal uses of one quota, by what this server has answered it. An end that was told to others, such as that of a break,
/// is noticed once the lease would have ended by itself. Thread-safe.
/// </summary>
internal sealed class QuotaUse
{
    private const int RememberedNames = 10_000;
    private const int FewLeases = 1_024;

    // Whoever is at its bound asks again and again, and must not cost a look at all that it holds each time.
    private static readonly TimeSpan SweepAfter = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly Dictionary<(string Resource, long Token), (TimeSpan End, string? RequestId)> _leases = [];
    private readonly HashSet<(string Resource, string RequestId)> _requests = [];
    private readonly Dictionary<string, (int Bytes, KeyLease? BoundTo)> _keys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly Queue<string> _namesInOrder = new();
    private RateBound _calls = new(TimeSpan.FromSeconds(1));
    private RateBound _freshNames = new(TimeSpan.FromMinutes(1));
    private TimeSpan _nextSweep;
    private int _sweepAt = FewLeases;
    private long _keyBytes;
    private long _unknown;
    private int _asked;
    private int _waits;
    private int _watches;

    /// <summary>Takes what a call needs, or names the bound it would exceed and takes nothing.</summary>
    public Refusal? Take(QuotaRule rule, in Demand demand, TimeSpan now)
    {
        lock (_lock)
        {
            if (_leases.Count >= _sweepAt || (now >= _nextSweep && IsFull(rule, demand))) Sweep(now);
            if (Exceeded(rule, demand, now) is { } refusal) return refusal;
            _calls.Take();
            if (demand.UsesName && _names.Add(demand.Name)) Remember(demand.Name);
            Count(demand, 1);
            return null;
        }
    }

    /// <summary>Gives back what a call took while it was under way.</summary>
    public void Return(in Demand demand)
    {
        lock (_lock) Count(demand, -1);
    }

    /// <summary>Notes what a call left behind. Its own share of what is under way goes back; a watch's stays until it ends.</summary>
    public void Settle(in Demand demand, object content, TimeSpan now)
    {
        lock (_lock)
        {
            Count(content is LeaseWatch ? demand with { Watches = false } : demand, -1);
            if (content is LeaseGrant grant) Hold(grant.Resource, grant.Token, now + grant.Remaining, demand.RequestId);
            // It may have been granted or put, and its repeat will be.
            var isDone = content is not Refusal or Refusal.OutcomeUnknown;
            if (content is Refusal.OutcomeUnknown && demand.Lease is { } ttl) Hold(demand.Name, --_unknown, now + ttl, demand.RequestId);
            if (isDone && demand.KeyBytes is { } bytes) Put(demand.Name, bytes, demand.BoundTo);
        }
    }

    public void Renewed(string resource, long token, TimeSpan end)
    {
        lock (_lock)
        {
            ref var lease = ref CollectionsMarshal.GetValueRefOrNullRef(_leases, (resource, token));
            if (!Unsafe.IsNullRef(ref lease)) lease.End = end;
        }
    }

    public void Ended(string resource, long token)
    {
        lock (_lock) Drop((resource, token));
    }

    public void Deleted(string key)
    {
        lock (_lock)
        {
            if (_keys.Remove(key, out var gone)) _keyBytes -= gone.Bytes;
        }
    }

    private static Refusal.LimitReached Over(string quota, long bound, TimeSpan wait) => new(
        quota,
        wait,
        $"The quota '{quota}' of this caller is {bound} at this server; ask again later, or have it raised where its rules are.");

    private bool IsFull(QuotaRule rule, in Demand demand) =>
        (demand.Lease is not null && _leases.Count + _asked >= rule.Leases)
        || (demand.KeyBytes is { } bytes && (_keys.Count >= rule.Keys || _keyBytes + bytes > rule.KeyBytes));

    private Refusal.LimitReached? Exceeded(QuotaRule rule, in Demand demand, TimeSpan now)
    {
        var soon = TimeSpan.FromSeconds(1);
        if (rule.CallsPerSecond is { } calls && _calls.WaitFor(calls, now) is { Ticks: > 0 } pause)
            return Over("callsPerSecond", calls, pause);
        if (demand.Lease is not null && _leases.Count + _asked >= rule.Leases && !IsRepeat(demand))
            return Over("leases", rule.Leases.Value, soon);
        if (demand.Waits && _waits >= rule.Waits) return Over("waits", rule.Waits.Value, soon);
        if (demand.Watches && _watches >= rule.Watches) return Over("watches", rule.Watches.Value, soon);
        if (demand.KeyBytes is { } bytes)
        {
            var before = _keys.TryGetValue(demand.Name, out var known) ? known.Bytes : (int?)null;
            if (before is null && _keys.Count >= rule.Keys) return Over("keys", rule.Keys.Value, soon);
            if (_keyBytes - (before ?? 0) + bytes > rule.KeyBytes) return Over("keyBytes", rule.KeyBytes.Value, soon);
        }

        if (!demand.UsesName || rule.FreshNamesPerMinute is not { } fresh || _names.Contains(demand.Name)) return null;
        if (_freshNames.WaitFor(fresh, now) is { Ticks: > 0 } wait) return Over("freshNamesPerMinute", fresh, wait);
        _freshNames.Take();
        return null;
    }

    private bool IsRepeat(in Demand demand) => demand.RequestId is { } id && _requests.Contains((demand.Name, id));

    private void Count(in Demand demand, int by)
    {
        if (demand.Lease is not null) _asked += by;
        if (demand.Waits) _waits += by;
        if (demand.Watches) _watches += by;
    }

    private void Remember(string name)
    {
        _namesInOrder.Enqueue(name);
        if (_namesInOrder.Count > RememberedNames) _names.Remove(_namesInOrder.Dequeue());
    }

    private void Hold(string resource, long token, TimeSpan end, string? requestId)
    {
        // What a repeat of the request was granted takes the place of what was not known.
        if (requestId is not null && !_requests.Add((resource, requestId)))
        {
            foreach (var lease in _leases.Where(lease => lease.Key.Resource == resource && lease.Value.RequestId == requestId).ToArray())
                _leases.Remove(lease.Key);
        }

        _leases[(resource, token)] = (end, requestId);
    }

    private void Drop((string Resource, long Token) key)
    {
        if (_leases.Remove(key, out var lease) && lease.RequestId is { } id) _requests.Remove((key.Resource, id));
    }

    private void Put(string key, int bytes, KeyLease? boundTo)
    {
        if (_keys.TryGetValue(key, out var before)) _keyBytes -= before.Bytes;
        _keys[key] = (bytes, boundTo);
        _keyBytes += bytes;
    }

    private void Sweep(TimeSpan now)
    {
        _nextSweep = now + SweepAfter;
        foreach (var lease in _leases.Where(lease => lease.Value.End <= now).ToArray()) Drop(lease.Key);
        _sweepAt = Math.Max(FewLeases, 2 * _leases.Count);
        foreach (var key in _keys.Where(key => IsGone(key.Value.BoundTo)).ToArray())
        {
            _keys.Remove(key.Key);
            _keyBytes -= key.Value.Bytes;
        }
    }

    private bool IsGone(KeyLease? lease) => lease is not null && !_leases.ContainsKey((lease.Resource, lease.Token));
}
