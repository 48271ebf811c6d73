namespace OrleansLeases.Core;

internal sealed partial class LeaseDraft
{
    /// <summary>Grants the requests that are queued first, and then this one if it fits.</summary>
    public LeaseReply<LeaseGrant> Acquire(LeaseCommand.Acquire command)
    {
        if (BeginAcquire(command) is { } reply) return reply;
        ServeQueue(command);
        return CompleteAcquire(command);
    }

    /// <summary>Replays or refuses an acquire that may not ask for the resource; null for one that may.</summary>
    private LeaseReply<LeaseGrant>? BeginAcquire(LeaseCommand.Acquire command)
    {
        var (request, fingerprint) = command;
        if (ReplayOfGrant(fingerprint) is { } replay) return replay;
        foreach (var queued in queue)
        {
            if (queued.Fingerprint.Id == fingerprint.Id && queued.Fingerprint.Content != fingerprint.Content)
                return Refusals.RequestIdReused();
        }

        if (request.Mode == LeaseMode.Shared && CapacityInForce(fingerprint, out var capacity) && capacity != request.Capacity)
            return RefuseOnceFresh(Refusals.CapacityDiffers(request.Capacity, capacity));
        if (!HasToken) return Refusals.TokensUsedUp(request.Resource);
        return null;
    }

    /// <summary>Finds the request among those that are granted now, or says how many are before it.</summary>
    private LeaseReply<LeaseGrant> CompleteAcquire(LeaseCommand.Acquire command)
    {
        var (request, fingerprint) = command;
        foreach (var granted in _granted ?? [])
        {
            if (granted.Fingerprint.Id == fingerprint.Id) return new LeaseReply.Granted(granted.Token, Replayed: false);
        }

        var waits = request.Wait > TimeSpan.Zero;
        var ahead = 0;
        foreach (var queued in queue)
        {
            if (queued.Fingerprint.Id == fingerprint.Id)
            {
                waits = true;
                break;
            }

            if (_granted is null || !_granted.Exists(granted => granted.Fingerprint.Id == queued.Fingerprint.Id)) ahead++;
        }

        if (!waits && request is { Mode: LeaseMode.Shared, Capacity: null } && _holders.Length >= rules.Limits.MaxHolders
            && _holders[0].Mode == LeaseMode.Shared)
            return RefuseOnceFresh(Refusals.TooManyHolders(rules.Limits.MaxHolders));
        // An owner must not be refused for a lease of its own that another activation has ended. Other owners may be: they ask again.
        _requiresFreshRead |= HeldBy(request.Owner);
        return Refusals.Held(request, _holders, _delay, now, ahead + 1, waits);
    }

    public LeaseReply<LeaseRenewal> Renew(RenewRequest request)
    {
        var index = IndexOf(request.Token, request.Owner);
        if (index < 0) return NotHolder(request.Resource, request.Owner, request.Token);
        var holder = _holders[index];
        // The record is claimed before a deadline is promised from an inherited horizon: then no other activation can free the place.
        var durable = state.Claim != self;
        var ttl = request.Ttl ?? holder.Ttl;
        // An order to break bounds what a renewal adds, and takes nothing away.
        var asked = now.Monotonic + ttl < holder.LatestEnd ? now.Monotonic + ttl : holder.LatestEnd;
        var deadline = asked > holder.Deadline ? asked : holder.Deadline;
        // What stands from before is this activation's own promise, unless it lies within what was inherited, which
        // the stored horizon covers already.
        var left = (holder.Deadline > holder.InheritedUntil ? deadline : asked) - now.Monotonic;
        var wall = now.Latest + left;
        // At an order's end the horizon stays, and the promise stays short of it by the skew: moved instead, it would move the
        // end by the skew with every incarnation that renews.
        var beyond = wall > (asked < holder.LatestEnd ? holder.Horizon - holder.HorizonSkew : holder.Horizon)
            || now.Monotonic + left > holder.HorizonEnds;
        durable |= beyond || ttl != holder.Ttl;
        var reserved = asked + rules.Reserve(ttl) < holder.LatestEnd ? asked + rules.Reserve(ttl) : holder.LatestEnd;
        var ahead = now.Latest + (reserved - now.Monotonic);
        if (ahead < wall) ahead = wall;
        if (beyond || (durable && ahead > holder.Horizon)) holder = holder.WithHorizon(ahead, now, rules);
        Replace(index, holder with { Ttl = ttl, Deadline = deadline, Delivered = true }, durable);
        return new LeaseReply.Renewed(holder.Token);
    }

    public LeaseReply<LeaseRelease> Release(ReleaseRequest request, bool undelivered)
    {
        var index = IndexOf(request.Token, request.Owner);
        if (index < 0)
        {
            return ReasonOfEnd(request.Owner, request.Token) == NotHolderReason.Released
                ? new LeaseReply.Released(request.Token, Replayed: true)
                : NotHolder(request.Resource, request.Owner, request.Token);
        }

        // The grant may have reached its caller by another way since the gateway found the first one gone.
        if (undelivered && _holders[index].Delivered) return new LeaseReply.Released(request.Token, Replayed: true);
        // A lock-delay waits for what its owner may still be doing. Acquiring again does not end that; its own word does.
        if (_delay?.Owner == request.Owner && !undelivered) _delay = null;
        End(index, LeaseEventKind.Released, now.Latest, undelivered ? "its caller was gone" : null, default);
        return new LeaseReply.Released(request.Token, Replayed: false);
    }

    public LeaseReply<LeaseGrant> Transfer(LeaseCommand.Transfer command)
    {
        var (request, fingerprint) = command;
        if (ReplayOfGrant(fingerprint) is { } replay) return replay;
        var index = IndexOf(request.Token, request.Owner);
        if (index < 0) return NotHolder(request.Resource, request.Owner, request.Token);
        var holder = _holders[index];
        if (holder.Breaking is not null) return RefuseOnceFresh(Refusals.BeingBroken(holder.Token));
        if (request.NewOwner != request.Owner && HeldBy(request.NewOwner))
            return RefuseOnceFresh(Refusals.HeldByNewOwner(request, _holders, now));
        if (!HasToken) return Refusals.TokensUsedUp(request.Resource);

        var ttl = request.Ttl ?? holder.Ttl;
        var capacity = _capacity;
        End(index, LeaseEventKind.Transferred, now.Latest, null, default);
        _capacity = capacity;
        return new LeaseReply.Granted(
            Add((holder with
            {
                Owner = request.NewOwner,
                Token = _lastToken = TokenAfter(_lastToken),
                Ttl = ttl,
                Request = fingerprint,
                Deadline = now.Monotonic + ttl,
                // The old holder gave up whatever it had been promised.
                InheritedUntil = TimeSpan.Zero,
                Delivered = false,
                Keys = null,
            }).WithHorizon(now.Latest + ttl, now, rules)),
            Replayed: false);
    }

    public LeaseReply<LeaseBreak> Break(LeaseCommand.Break command)
    {
        var (request, fingerprint) = command;
        if (_log.TryFind(fingerprint.Id, out var done))
        {
            if (done.Request.Content != fingerprint.Content) return Refusals.RequestIdReused();
            var still = IndexOf(done.Token);
            _requiresFreshRead = still >= 0;
            return new LeaseReply.Breaking(done.Token, still < 0 ? now.Monotonic : _holders[still].OrderedEnd);
        }

        if (request.Token is null && _holders.Length > 1) return RefuseOnceFresh(Refusals.TokenNeeded(_holders));
        var index = request.Token is { } token ? IndexOf(token) : _holders.Length - 1;
        if (index < 0)
        {
            var refusal = NotHolder(request.Resource, owner: null, request.Token ?? _lastToken);
            _requiresFreshRead |= request.Token is null;
            return refusal;
        }

        var holder = _holders[index];
        var ends = now.Monotonic + request.Grace;
        // Without force no holder is surprised: neither this one, nor one whom an earlier activation promised more.
        if (!request.Force && ends < holder.EndsAt) ends = holder.EndsAt;
        // An order never puts off an earlier one. It is recorded for its request id all the same.
        if (holder.Breaking is null || ends < holder.Breaking.Ends)
        {
            var wall = LeaseMachine.CeilToMillisecond(now.Latest + (ends - now.Monotonic));
            var length = wall - now.Latest;
            var order = new BreakOrder { Ends = ends, EndsWall = wall, Length = length, Force = request.Force, Reason = request.Reason };
            // The horizon may have a reserve beyond the order, which nothing will be promised from any more.
            if (!request.Force && wall < holder.Horizon) holder = holder.WithHorizon(wall, now, rules);
            Replace(index, holder with { Breaking = order }, durable: true);
        }

        Record(LeaseEventKind.Breaking, holder.Owner, holder.Token, now.Latest, request.Reason, fingerprint);
        return new LeaseReply.Breaking(holder.Token, _holders[index].OrderedEnd);
    }

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
        _requiresFreshRead |= token > _lastToken;
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

    private bool CapacityInForce(RequestFingerprint except, out int? capacity)
    {
        capacity = _capacity;
        if (!_holders.IsEmpty && _holders[0].Mode == LeaseMode.Shared) return true;
        foreach (var queued in queue)
        {
            if (queued.Request.Mode != LeaseMode.Shared || queued.Fingerprint.Id == except.Id) continue;
            capacity = queued.Request.Capacity;
            return true;
        }

        return false;
    }

    /// <summary>Refuses by what is in force, which another activation may have ended: to be compared with the store first.</summary>
    private Refusal RefuseOnceFresh(Refusal refusal)
    {
        _requiresFreshRead = true;
        return refusal;
    }
}
