using System.Diagnostics.CodeAnalysis;

namespace OrleansLeases.Core;

internal static partial class Verbs
{
    public static readonly Verb<RenewRequest, LeaseRenewal> Renew = new(
        "renew",
        static (request, checks) => checks.Check(request),
        static (access, request) => access.ToHold(request.Resource, request.Owner),
        static (front, request, _) => front.Host.RenewAsync(request))
    {
        IsChange = true,
        Subject = static (request, _) => new(request.Resource, request.Owner, request.Token),
        GoesOn = true,
    };

    public static readonly Verb<RenewBatchRequest, RenewBatchReply> RenewBatch = new(
        "renew-batch",
        static (request, checks) => checks.Check(request),
        Authorize: null,
        static (front, request, _) => new(front.RenewEachAsync(request)))
    {
        IsChange = true,
        IsAlwaysTaken = true,
        WaitsForLimits = true,
    };
}

internal sealed partial class ServiceFront
{
    public ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Renew, request, _timeout, cancellationToken);

    public ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(
        RenewBatchRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.RenewBatch, request, _timeout, cancellationToken);

    /// <summary>
    /// Renews every lease of a batch on its own. They are no calls to those who count: clients renew all that they hold by batches, and to
    /// time each would cost as much as to renew it. Keepers count them.
    /// </summary>
    [SuppressMessage("Reliability", "CA2012", Justification = "Each is awaited once.")]
    internal async Task<LeaseResult<RenewBatchReply>> RenewEachAsync(RenewBatchRequest request)
    {
        Metrics?.Batched(Verbs.RenewBatch.Name, request.Leases.Count);
        var start = time.GetTimestamp();
        var pending = new ValueTask<LeaseResult<LeaseRenewal>>[request.Leases.Count];
        for (var i = 0; i < pending.Length; i++)
            pending[i] = RunUnobservedAsync(Verbs.Renew, request.Leases[i], host.BatchTimeout, CancellationToken.None);

        var results = new LeaseResult<LeaseRenewal>[pending.Length];
        for (var i = 0; i < pending.Length; i++) results[i] = await pending[i].ConfigureAwait(false);

        // What a keeper says of itself counts from its own receipt, which is later than this one: the least is never too much.
        var elapsed = time.GetElapsedTime(start);
        foreach (var result in results)
            if (result.TryGetValue(out var renewal, out _) && renewal.Elapsed < elapsed) elapsed = renewal.Elapsed;
        return new RenewBatchReply { Elapsed = elapsed, Results = results };
    }
}

internal partial interface IServiceHost
{
    ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request);
}

internal sealed partial class RequestChecks
{
    /// <summary>Checks a renewal.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(RenewRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Lease(ref errors, request.Resource, request.Owner, request.Token);
        if (request.Ttl is { } ttl) Duration(ref errors, "ttlMs", ttl, limits.MinTtl, limits.MaxTtl);
        return errors.Refusal;
    }

    /// <summary>Checks the size of a batch; its leases are checked one by one.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(RenewBatchRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        if (request.Leases is null || request.Leases.Count < 1 || request.Leases.Count > limits.MaxBatch)
        {
            errors.Add(
                "leases", $"leases has {request.Leases?.Count ?? 0} entries; it takes 1 to {limits.MaxBatch}. Send several batches.");
        }

        return errors.Refusal;
    }
}

internal abstract partial record LeaseCommand
{
    /// <summary>A renewal.</summary>
    /// <param name="request">The request.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand<LeaseRenewal> Of(RenewRequest request) => new Renew(request);

    /// <summary>A holder extends its lease.</summary>
    /// <param name="Request">Which lease.</param>
    public sealed record Renew(RenewRequest Request) : LeaseCommand<LeaseRenewal>
    {
        internal override LeaseReply<LeaseRenewal> Apply(LeaseDraft draft) => draft.Renew(Request);
    }
}

internal sealed partial class LeaseDraft
{
    public LeaseReply<LeaseRenewal> Renew(RenewRequest request)
    {
        var index = IndexOf(request.Token, request.Owner);
        if (index < 0) return NotHolder(request.Resource, request.Owner, request.Token);
        var holder = _holders[index];
        // The record is claimed before a deadline is promised from an inherited horizon: then no other activation can free the place.
        var durable = state.Claim != self;
        var ttl = request.Ttl ?? holder.Ttl;
        // An order to break bounds what a renewal adds, and takes nothing away.
        var requested = Holder.Min(now.Monotonic + ttl, holder.LatestEnd);
        var deadline = Holder.Max(requested, holder.Deadline);
        // What stands from before is this activation's own promise, unless it lies within what was inherited, which
        // the stored horizon covers already.
        var left = (holder.Deadline > holder.InheritedUntil ? deadline : requested) - now.Monotonic;
        var wall = now.Latest + left;
        // At an order's end the horizon stays, and the promise stays short of it by the skew: moved instead, it would move the
        // end by the skew with every incarnation that renews.
        var beyond = wall > (requested < holder.LatestEnd ? holder.Horizon - holder.HorizonSkew : holder.Horizon)
            || now.Monotonic + left > holder.HorizonEnds;
        durable |= beyond || ttl != holder.Ttl;
        var reserved = Holder.Min(requested + rules.Reserve(ttl), holder.LatestEnd);
        var ahead = Holder.Max(wall, now.Latest + (reserved - now.Monotonic));
        if (beyond || (durable && ahead > holder.Horizon)) holder = holder.WithHorizon(ahead, now, rules);
        Replace(index, holder with { Ttl = ttl, Deadline = deadline, Delivered = true }, durable);
        return new LeaseReply.Renewed(holder.Token);
    }
}

internal abstract partial record LeaseReply
{
    /// <summary>The lease was extended, or is being broken and was not.</summary>
    /// <param name="Token">The token.</param>
    public sealed record Renewed(long Token) : LeaseReply<LeaseRenewal>
    {
        // Nothing is left of what the renewal stored, while the place is kept for what others may have promised: renew again.
        // A save each time, and no longer than the place is kept.
        internal override bool IsOvertaken(LeaseState state, bool durable, Instant now) => state.IsOver(Token, now)
            || (durable && state.HolderOf(Token) is { Breaking: null } holder && holder.Remaining(now) == TimeSpan.Zero);

        internal override LeaseResult<LeaseRenewal> ToResult(in ResponseContext at) =>
            LeaseViews.Renewal(at.Resource, at.State.HolderOf(Token), at.Received, at.Now);
    }
}

internal static partial class LeaseViews
{
    internal static LeaseRenewal Renewal(string resource, Holder holder, Instant received, Instant now)
    {
        var remaining = holder.Remaining(now);
        return new LeaseRenewal
        {
            Resource = resource,
            Token = holder.Token,
            Ttl = holder.Ttl,
            Remaining = remaining,
            Elapsed = now.Monotonic - received.Monotonic,
            RenewAfter = RenewAfter(holder, remaining),
            Breaking = holder.Breaking is { } order
                ? new BreakNotice { EndsIn = AtLeastZero(holder.OrderedEnd - now.Monotonic), Reason = order.Reason }
                : null,
        };
    }
}
