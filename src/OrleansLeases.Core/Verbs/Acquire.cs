using System.Text;

namespace OrleansLeases.Core;

internal static partial class Verbs
{
    public static readonly Verb<AcquireRequest, LeaseGrant> Acquire = new(
        "acquire",
        static (request, checks) => checks.Check(request),
        static (access, request) => access.ToHold(request.Resource, request.Owner),
        static (front, request, leaves) => new(front.Host.AcquireAsync(request, leaves)))
    {
        IsChange = true,
        WaitsForLimits = true,
        Wait = static request => request.Wait,
        RequestId = new(static request => request.RequestId, static (request, id) => request with { RequestId = id }),
        Subject = static (request, grant) => new(request.Resource, request.Owner, grant?.Token),
        Demand = static request => Demand.Of(request),
        Abandon = GiveBackAsync,
    };

    /// <summary>
    /// Gives back what was granted behind a caller who has gone, unless a repeat of the request id has been answered with it.
    /// </summary>
    private static async Task GiveBackAsync(IServiceHost host, Task<LeaseResult<LeaseGrant>> answer)
    {
        if ((await answer.ConfigureAwait(false)).TryGetValue(out var grant, out _) && !grant.Replayed)
            await host.GiveBackAsync(grant).ConfigureAwait(false);
    }
}

internal sealed partial class ServiceFront
{
    public ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Acquire, request, _timeout, cancellationToken);
}

internal partial interface IServiceHost
{
    /// <param name="request">The request.</param>
    /// <param name="leaves">
    /// Takes the call out of the queue. Where a grant was made already the call ends with it all the same, so that it can be given back.
    /// </param>
    Task<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken leaves);
}

internal sealed partial class RequestChecks
{
    /// <summary>Checks an acquire.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(AcquireRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Path(ref errors, "resource", request.Resource);
        Name(ref errors, "owner", request.Owner);
        Duration(ref errors, "ttlMs", request.Ttl, limits.MinTtl, limits.MaxTtl);
        Duration(ref errors, "waitMs", request.Wait, TimeSpan.Zero, limits.MaxWait);
        Duration(ref errors, "lockDelayMs", request.LockDelay, TimeSpan.Zero, limits.MaxTtl);
        Duration(ref errors, "holdAtLeastMs", request.HoldAtLeast, TimeSpan.Zero, limits.MaxTtl);
        RequestId(ref errors, request.RequestId);
        if (!Enum.IsDefined(request.Mode)) errors.Add("mode", $"mode is {request.Mode}; it takes 'exclusive' or 'shared'.");
        if (request is { LockDelay.Ticks: > 0, Mode: LeaseMode.Shared })
            errors.Add("lockDelayMs", "lockDelayMs is for exclusive leases; leave it out or ask for mode 'exclusive'.");
        if (request is { HoldAtLeast.Ticks: > 0, Mode: LeaseMode.Shared })
            errors.Add("holdAtLeastMs", "holdAtLeastMs is for exclusive leases; leave it out or ask for mode 'exclusive'.");
        if (request.Capacity is { } capacity)
        {
            if (request.Mode == LeaseMode.Exclusive)
                errors.Add("capacity", "capacity is for shared leases; leave it out or ask for mode 'shared'.");
            else if (capacity < 1 || capacity > limits.MaxHolders)
                errors.Add("capacity", $"capacity is {capacity}; it takes 1 to {limits.MaxHolders}.");
        }

        if (request.Proof)
            errors.Add("proof", "proof is made by a server over HTTP, for an acquire that is a call of its own; leave it out here.");
        Metadata(ref errors, request.Metadata);
        return errors.Refusal;
    }

    private static void Metadata(ref Errors errors, IReadOnlyDictionary<string, string>? metadata)
    {
        if (metadata is null) return;
        if (metadata.Count > MaxMetadataEntries)
        {
            errors.Add("metadata", $"metadata has {metadata.Count} entries; it takes {MaxMetadataEntries} at most.");
            return;
        }

        var total = 0;
        foreach (var (key, value) in metadata)
        {
            if (value is null || Bytes(key) is not { } keyBytes || Bytes(value) is not { } valueBytes)
            {
                errors.Add("metadata", $"metadata '{Shown(key)}' is not a valid Unicode string.");
                return;
            }

            total += keyBytes + valueBytes;
        }

        if (total > MaxMetadataBytes) errors.Add("metadata", $"metadata has {total} bytes of UTF-8; it takes {MaxMetadataBytes} together.");
    }
}

internal readonly partial record struct RequestFingerprint
{
    internal static RequestFingerprint Of(AcquireRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var content = new StringBuilder(request.Owner.Length + 48)
            .Append(request.Owner).Append('\0').Append(request.Ttl.Ticks).Append('\0').Append((int)request.Mode)
            .Append('\0').Append(request.Capacity).Append('\0').Append(request.LockDelay.Ticks);
        // Left out where it is zero, as it was before: stored fingerprints last. No entry of the metadata begins with a letter.
        if (request.HoldAtLeast > TimeSpan.Zero) content.Append('\0').Append('h').Append(request.HoldAtLeast.Ticks);
        if (request.Metadata is { Count: > 0 } metadata)
        {
            foreach (var (key, value) in metadata.OrderBy(entry => entry.Key, StringComparer.Ordinal))
            {
                content.Append('\0').Append(key.Length).Append('\0').Append(key)
                    .Append('\0').Append(value.Length).Append('\0').Append(value);
            }
        }

        return Of("acquire", request.RequestId, content.ToString());
    }
}

internal abstract partial record LeaseCommand
{
    /// <summary>An acquire.</summary>
    /// <param name="request">The request, with its request id.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand<LeaseGrant> Of(AcquireRequest request) => new Acquire(request, RequestFingerprint.Of(request));

    /// <summary>Someone asks for the resource.</summary>
    /// <param name="Request">The request.</param>
    /// <param name="Fingerprint">The request id and its content.</param>
    public sealed record Acquire(AcquireRequest Request, RequestFingerprint Fingerprint) : LeaseCommand<LeaseGrant>
    {
        internal override string? RequestId => Request.RequestId;

        internal override LeaseReply<LeaseGrant> Apply(LeaseDraft draft) => draft.Acquire(this);

        internal override bool TryWait(LeaseKeeper keeper, LeaseCall<LeaseGrant> call, Instant now) =>
            keeper.TryWait(call, this, now);
    }
}

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
        if (HeldBy(request.Owner)) _requiresFreshRead = true;
        return Refusals.Held(request, _holders, _delays, now, ahead + 1, waits);
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

    private long Grant(AcquireRequest request, RequestFingerprint fingerprint)
    {
        if (_holders.IsEmpty) _capacity = request.Capacity;
        return Add(new Holder
        {
            Owner = request.Owner,
            Token = _lastToken = TokenAfter(_lastToken),
            Mode = request.Mode,
            Ttl = request.Ttl,
            Horizon = TimeSpan.Zero,
            HorizonLength = TimeSpan.Zero,
            HorizonBy = rules.Incarnation,
            LockDelay = request.LockDelay,
            Hold = request.HoldAtLeast > TimeSpan.Zero
                ? Delay.Until(now.Monotonic + request.HoldAtLeast, request.Owner, request.HoldAtLeast, now)
                : null,
            // A copy: in one process the caller may still hold the dictionary of its request.
            Metadata = request.Metadata is { Count: > 0 } metadata ? new Dictionary<string, string>(metadata) : null,
            Request = fingerprint,
            Deadline = now.Monotonic + request.Ttl,
        }.WithHorizon(now.Latest + request.Ttl, now, rules));
    }
}

internal abstract partial record LeaseReply
{
    /// <summary>The request holds this token.</summary>
    /// <param name="Token">The token.</param>
    /// <param name="Replayed">It was granted to an earlier call with the same request id.</param>
    public sealed record Granted(long Token, bool Replayed) : LeaseReply<LeaseGrant>
    {
        internal override bool IsOvertaken(LeaseState state, bool durable, Instant now) => state.IsOver(Token, now);

        internal override LeaseResult<LeaseGrant> ToResult(in ResponseContext at) =>
            LeaseViews.Grant(at.Resource, at.State.HolderOf(Token), at.RequestId!, Replayed, at.Received, at.Now);
    }
}

internal static partial class LeaseViews
{
    internal static LeaseGrant Grant(string resource, Holder holder, string requestId, bool replayed, Instant received, Instant now)
    {
        var remaining = holder.Remaining(now);
        return new LeaseGrant
        {
            Resource = resource,
            Owner = holder.Owner,
            Token = holder.Token,
            Mode = holder.Mode,
            Ttl = holder.Ttl,
            Remaining = remaining,
            Elapsed = now.Monotonic - received.Monotonic,
            RenewAfter = RenewAfter(holder, remaining),
            RequestId = requestId,
            Replayed = replayed,
        };
    }
}
