namespace OrleansLeases.Core;

internal sealed partial class LeaseDraft
{
    /// <summary>A request id that was applied before: the same grant while it lasts, then why it ended.</summary>
    private LeaseReply<LeaseGrant>? ReplayOfGrant(RequestFingerprint fingerprint)
    {
        for (var i = 0; i < _holders.Length; i++)
        {
            var holder = _holders[i];
            if (holder.Request.Id != fingerprint.Id) continue;
            if (holder.Request.Content != fingerprint.Content) return Refusals.RequestIdReused();
            Replace(i, holder with { Delivered = true }, durable: state.Claim != self);
            // Another activation may have ended it at its holder's word, and refuses repeats of the request by that.
            _requiresFreshRead = true;
            return new LeaseReply.Granted(holder.Token, Replayed: true);
        }

        if (!_log.TryFind(fingerprint.Id, out var entry)) return null;
        if (entry.Request.Content != fingerprint.Content) return Refusals.RequestIdReused();
        return Refusals.NotHolder(ReasonOfEnd(entry.Owner, entry.Token), _lastToken, entry.Owner, entry.Token);
    }

    private Refusal NotHolder(string resource, string? owner, long token)
    {
        var reason = ReasonOfEnd(owner, token);
        // A token beyond all this activation knows of may have been granted by another one since.
        if (token > _lastToken) _requiresFreshRead = true;
        return Refusals.NotHolder(reason, _lastToken, owner ?? resource, token);
    }

    /// <summary>Why a token that no holder shows is not in force. Without an owner, whatever owner had it.</summary>
    private NotHolderReason ReasonOfEnd(string? owner, long token)
    {
        if (token > _lastToken || IndexOf(token) >= 0 || token == 0) return NotHolderReason.NeverHeld;
        foreach (var entry in _log.NewestFirst())
        {
            if (entry.Token != token) continue;
            if (owner is not null && entry.Owner != owner) return NotHolderReason.NeverHeld;
            switch (entry.Kind)
            {
                case LeaseEventKind.Released: return NotHolderReason.Released;
                case LeaseEventKind.Expired: return NotHolderReason.Expired;
                case LeaseEventKind.Transferred: return NotHolderReason.Transferred;
                case LeaseEventKind.Broken: return NotHolderReason.Broken;
            }
        }

        return NotHolderReason.Superseded;
    }

    /// <summary>Refuses by what is in force, which another activation may have ended: to be compared with the store first.</summary>
    private Refusal RefuseOnceFresh(Refusal refusal)
    {
        _requiresFreshRead = true;
        return refusal;
    }
}
