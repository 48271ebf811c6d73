namespace OrleansLeases.Core;

internal static partial class Verbs
{
    public static readonly Verb<ReleaseRequest, LeaseRelease> Release = new(
        "release",
        static (request, _) => RequestChecks.Check(request),
        static (access, request) => access.ToHold(request.Resource, request.Owner),
        static (front, request, _) => new(front.Host.ReleaseAsync(request)))
    {
        IsChange = true,
        IsAlwaysTaken = true,
        Subject = static (request, _) => new(request.Resource, request.Owner, request.Token),
    };
}

internal sealed partial class ServiceFront
{
    public ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Release, request, _timeout, cancellationToken);
}

internal partial interface IServiceHost
{
    Task<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request);
}

internal sealed partial class RequestChecks
{
    /// <summary>Checks a release.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(ReleaseRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Lease(ref errors, request.Resource, request.Owner, request.Token);
        return errors.Refusal;
    }
}

internal abstract partial record LeaseCommand
{
    /// <summary>A release.</summary>
    /// <param name="request">The request.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand<LeaseRelease> Of(ReleaseRequest request) => new Release(request);

    /// <summary>A release on behalf of a caller that was gone before it had the grant.</summary>
    /// <param name="grant">The grant.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand<LeaseRelease> GiveBack(LeaseGrant grant) => GiveBack(grant.Resource, grant.Owner, grant.Token);

    /// <summary>As <see cref="GiveBack(LeaseGrant)"/>.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="owner">The holder.</param>
    /// <param name="token">The token of the grant.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand<LeaseRelease> GiveBack(string resource, string owner, long token) =>
        new Release(new ReleaseRequest { Resource = resource, Owner = owner, Token = token }, Undelivered: true);

    /// <summary>A holder ends its lease.</summary>
    /// <param name="Request">Which lease.</param>
    /// <param name="Undelivered">
    /// Its caller was gone before the grant was delivered: the lease stays if a repeat of the request id has been answered with it since.
    /// </param>
    public sealed record Release(ReleaseRequest Request, bool Undelivered = false) : LeaseCommand<LeaseRelease>
    {
        internal override LeaseReply<LeaseRelease> Apply(LeaseDraft draft) => draft.Release(Request, Undelivered);
    }
}

internal sealed partial class LeaseDraft
{
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
        if (_delays.Lock?.Owner == request.Owner && !undelivered) _delays = _delays with { Lock = null };
        // What nobody was told of, nobody has begun to do. Decision hold-at-least-is-of-told-grants.
        if (!undelivered) KeepHeld(_holders[index]);
        End(index, LeaseEventKind.Released, now.Latest, undelivered ? "its caller was gone" : null, default);
        return new LeaseReply.Released(request.Token, Replayed: false);
    }
}

internal abstract partial record LeaseReply
{
    /// <summary>The lease has ended at its holder's word.</summary>
    /// <param name="Token">The token.</param>
    /// <param name="Replayed">It had ended before.</param>
    public sealed record Released(long Token, bool Replayed) : LeaseReply<LeaseRelease>
    {
        internal override LeaseResult<LeaseRelease> ToResult(in ResponseContext at) =>
            new LeaseRelease { Resource = at.Resource, Token = Token, Replayed = Replayed };
    }
}
