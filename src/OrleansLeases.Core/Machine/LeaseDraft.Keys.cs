using System.Collections.Immutable;

namespace OrleansLeases.Core;

/// <summary>What a lease knows of the keys bound to it: their names, and no more.</summary>
internal sealed partial class LeaseDraft
{
    // Of all holders and of ended leases together, as a multiple of what one lease may have: the record lists them all.
    private const int LeasesWorthOfKeys = 10;
    private static readonly TimeSpan KeysShownFor = TimeSpan.FromSeconds(10);
    private static readonly ImmutableSortedDictionary<string, long> NoKeys =
        ImmutableSortedDictionary.Create<string, long>(StringComparer.Ordinal);

    public LeaseReply<LeaseReply.Acknowledged> Attach(LeaseCommand.Attach command)
    {
        var (lease, key, since) = command;
        var index = IndexOf(lease.Token, lease.Owner);
        if (index < 0) return NotHolder(lease.Resource, lease.Owner, lease.Token);
        var holder = _holders[index];
        var keys = holder.Keys ?? NoKeys;
        var known = keys.TryGetValue(key, out var before);
        if (known && before >= since)
        {
            // Nothing is stored that would show a lease ended by another activation: compare with the store instead.
            _requiresFreshRead = true;
            return LeaseReply.Acknowledged.Instance;
        }

        if (!known && keys.Count >= rules.Limits.MaxKeys) return RefuseOnceFresh(Refusals.TooManyKeys(lease, rules.Limits.MaxKeys));
        var mostInAll = (long)rules.Limits.MaxKeys * LeasesWorthOfKeys;
        if (!known && CountKeys() >= mostInAll) return RefuseOnceFresh(Refusals.TooManyKeysInAll(lease.Resource, mostInAll));
        Replace(index, holder with { Keys = keys.SetItem(key, since), Delivered = true }, durable: true);
        return LeaseReply.Acknowledged.Instance;
    }

    public LeaseReply<LeaseReply.Acknowledged> Detach(LeaseCommand.Detach command)
    {
        var index = IndexOf(command.Token);
        // Attached again since: a write that relies on the name may be on its way.
        if (index >= 0 && _holders[index].Keys is { } keys && keys.TryGetValue(command.Key, out var since) && since < command.Generation)
            Replace(index, _holders[index] with { Keys = keys.Count == 1 ? null : keys.Remove(command.Key) }, durable: true);
        return LeaseReply.Acknowledged.Instance;
    }

    public LeaseReply<LeaseReply.Acknowledged> CleanUpDone(LeaseCommand.CleanUpDone command)
    {
        if (_pending?.Find(ended => ended.Token == command.Token) is not { } ended)
        {
            // Another activation may have ended it since, and would never hear of this.
            _requiresFreshRead = true;
            return LeaseReply.Acknowledged.Instance;
        }

        var left = ended.Keys.RemoveRange(command.Keys, StringComparer.Ordinal);
        if (left.Length == ended.Keys.Length) return LeaseReply.Acknowledged.Instance;
        _pending = left.IsEmpty ? _pending.Remove(ended) : _pending.Replace(ended, ended with { Keys = left });
        if (_pending.IsEmpty) _pending = null;
        _durable = true;
        return LeaseReply.Acknowledged.Instance;
    }

    public LeaseReply<LeaseReply.AttachedKeys> GetAttachedKeys(LeaseCommand.GetAttachedKeys command)
    {
        var index = IndexOf(command.Token);
        // An owner that reaches the limit repeatedly does not have all keys checked each time.
        if (index < 0 || now.Monotonic < _holders[index].KeysShownUntil) return new LeaseReply.AttachedKeys(NoKeys);
        Replace(index, _holders[index] with { KeysShownUntil = now.Monotonic + KeysShownFor }, durable: false);
        return new LeaseReply.AttachedKeys(_holders[index].Keys ?? NoKeys);
    }

    public LeaseReply<LeaseReply.ActiveTokens> GetActiveTokens()
    {
        // Another activation may have ended one since, and a caller that has heard of that must not find its keys.
        _requiresFreshRead = true;
        return new LeaseReply.ActiveTokens([.. _holders.Select(holder => holder.Token)]);
    }

    private long CountKeys() =>
        _holders.Sum(holder => (long)(holder.Keys?.Count ?? 0)) + (_pending?.Sum(ended => (long)ended.Keys.Length) ?? 0);
}
