using System.Collections.Immutable;

namespace OrleansLeases.Core;

internal static partial class Verbs
{
    public static readonly Verb<TransferRequest, LeaseGrant> Transfer = new(
        "transfer",
        static (request, checks) => checks.Check(request),
        static (access, request) =>
            access.ToHold(request.Resource, request.Owner) ?? access.ToHold(request.Resource, request.NewOwner),
        static (front, request, _) => new(front.Host.TransferAsync(request)))
    {
        IsChange = true,
        WaitsForLimits = true,
        RequestId = new(static request => request.RequestId, static (request, id) => request with { RequestId = id }),
        Demand = static request => new(request.Resource),
        Subject = static (request, grant) => new(request.Resource, grant?.Owner ?? request.Owner, grant?.Token ?? request.Token),
    };
}

internal sealed partial class ServiceFront
{
    public ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Transfer, request, _timeout, cancellationToken);
}

internal partial interface IServiceHost
{
    Task<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request);
}

internal sealed partial class RequestChecks
{
    /// <summary>Checks a transfer.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(TransferRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Lease(ref errors, request.Resource, request.Owner, request.Token);
        Name(ref errors, "newOwner", request.NewOwner);
        if (request.Ttl is { } ttl) Duration(ref errors, "ttlMs", ttl, limits.MinTtl, limits.MaxTtl);
        RequestId(ref errors, request.RequestId);
        return errors.Refusal;
    }
}

internal readonly partial record struct RequestFingerprint
{
    internal static RequestFingerprint Of(TransferRequest request) =>
        Of("transfer", request.RequestId, $"{request.Owner}\0{request.Token}\0{request.NewOwner}\0{request.Ttl?.Ticks}");
}

internal abstract partial record LeaseCommand
{
    /// <summary>A transfer.</summary>
    /// <param name="request">The request, with its request id.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand<LeaseGrant> Of(TransferRequest request) => new Transfer(request, RequestFingerprint.Of(request));

    /// <summary>A holder hands its lease on.</summary>
    /// <param name="Request">The request.</param>
    /// <param name="Fingerprint">The request id and its content.</param>
    public sealed record Transfer(TransferRequest Request, RequestFingerprint Fingerprint) : LeaseCommand<LeaseGrant>
    {
        internal override string? RequestId => Request.RequestId;

        internal override LeaseReply<LeaseGrant> Apply(LeaseDraft draft) => draft.Transfer(this);
    }
}

internal sealed partial class LeaseDraft
{
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
                Hold = holder.Hold is { } hold ? hold with { Owner = request.NewOwner } : null,
                Deadline = now.Monotonic + ttl,
                // The old holder gave up whatever it had been promised.
                InheritedUntil = TimeSpan.Zero,
                Delivered = false,
                Keys = null,
            }).WithHorizon(now.Latest + ttl, now, rules)),
            Replayed: false);
    }
}

internal static partial class Refusals
{
    public static Refusal HeldByNewOwner(TransferRequest request, ImmutableArray<Holder> holders, Instant now) => new Refusal.Held(
        [.. holders.Select(holder => new CurrentHolder { Owner = holder.Owner, Mode = holder.Mode, Remaining = Left(holder, now) })],
        SameOwner: true,
        Position: 1,
        RetryAfter: TimeSpan.Zero,
        $"newOwner '{request.NewOwner}' holds '{request.Resource}' already; a second grant would be a second holder.");
}
