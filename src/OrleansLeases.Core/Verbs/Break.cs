namespace OrleansLeases.Core;

internal static partial class Verbs
{
    public static readonly Verb<BreakRequest, LeaseBreak> Break = new(
        "break",
        static (request, checks) => checks.Check(request),
        static (access, request) => access.ToBreak(request.Resource),
        static (front, request, _) => new(front.Host.BreakAsync(request)))
    {
        IsChange = true,
        WaitsForLimits = true,
        RequestId = new(static request => request.RequestId, static (request, id) => request with { RequestId = id }),
        Demand = static request => new(request.Resource),
        Subject = static (request, broken) => new(request.Resource, Token: broken?.Token ?? request.Token),
    };
}

internal sealed partial class ServiceFront
{
    public ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Break, request, _timeout, cancellationToken);
}

internal partial interface IServiceHost
{
    Task<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request);
}

internal sealed partial class RequestChecks
{
    /// <summary>Checks a break.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public Refusal? Check(BreakRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Path(ref errors, "resource", request.Resource);
        if (request.Token is { } token) Token(ref errors, token);
        Duration(ref errors, "graceMs", request.Grace, TimeSpan.Zero, limits.MaxTtl);
        Name(ref errors, "reason", request.Reason);
        RequestId(ref errors, request.RequestId);
        return errors.Refusal;
    }
}

internal readonly partial record struct RequestFingerprint
{
    internal static RequestFingerprint Of(BreakRequest request) =>
        Of("break", request.RequestId, $"{request.Token}\0{request.Grace.Ticks}\0{request.Force}\0{request.Reason}");
}

internal abstract partial record LeaseCommand
{
    /// <summary>A break.</summary>
    /// <param name="request">The request, with its request id.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand<LeaseBreak> Of(BreakRequest request) => new Break(request, RequestFingerprint.Of(request));

    /// <summary>Someone ends a lease.</summary>
    /// <param name="Request">Which lease, when and why.</param>
    /// <param name="Fingerprint">The request id and its content.</param>
    public sealed record Break(BreakRequest Request, RequestFingerprint Fingerprint) : LeaseCommand<LeaseBreak>
    {
        internal override string? RequestId => Request.RequestId;

        internal override LeaseReply<LeaseBreak> Apply(LeaseDraft draft) => draft.Break(this);
    }
}

internal sealed partial class LeaseDraft
{
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
            if (request.Token is null) _requiresFreshRead = true;
            return refusal;
        }

        var holder = _holders[index];
        var ends = now.Monotonic + request.Grace;
        // Without force no holder loses a deadline that it received, from this activation or from an earlier one.
        if (!request.Force) ends = Holder.Max(ends, holder.EndsAt);
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
}

internal abstract partial record LeaseReply
{
    /// <summary>The lease ends by order.</summary>
    /// <param name="Token">The token.</param>
    /// <param name="Ends">Monotonic: when.</param>
    public sealed record Breaking(long Token, TimeSpan Ends) : LeaseReply<LeaseBreak>
    {
        internal override bool IsOvertaken(LeaseState state, bool durable, Instant now) => state.IsOver(Token, now);

        internal override LeaseResult<LeaseBreak> ToResult(in ResponseContext at) => LeaseViews.Break(at.Resource, Token, Ends, at.Now);
    }
}

internal static partial class LeaseViews
{
    internal static LeaseBreak Break(string resource, long token, TimeSpan ends, Instant now) => new()
    {
        Resource = resource,
        Token = token,
        EndsIn = LeaseMachine.CeilToMillisecond(AtLeastZero(ends - now.Monotonic)),
    };
}
