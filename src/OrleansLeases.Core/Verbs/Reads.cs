namespace OrleansLeases.Core;

internal static partial class Verbs
{
    public static readonly Verb<GetLeaseRequest, LeaseInfo> Get = new(
        "get",
        static (request, _) => RequestChecks.Check(request),
        static (access, request) => access.ToRead(request.Resource),
        static (front, request, stop) => new(front.Host.GetAsync(request, stop)))
    {
        Demand = static request => new(request.Resource),
        Subject = static (request, _) => new(request.Resource),
        Show = static (access, lease) => access.Of(lease),
    };

    public static readonly Verb<ListLeasesRequest, LeasePage> List = new(
        "list",
        static (request, _) => RequestChecks.Check(request),
        Authorize: null,
        static (front, request, stop) => front.Caller is { } caller
            ? CallerListing.ListAsync(front.Host, caller, request, front.RealTime, stop)
            : new(front.Host.ListAsync(request, stop)))
    {
        Demand = static request => Demand.OfPrefix(request.Prefix),
    };

    public static readonly Verb<string, LeaseHistory> History = new(
        "history",
        static (resource, _) => RequestChecks.CheckResource(resource),
        static (access, resource) => access.ToRead(resource),
        static (front, resource, stop) => new(front.Host.HistoryAsync(resource, stop)))
    {
        Demand = static resource => new(resource),
        Subject = static (resource, _) => new(resource),
    };
}

internal sealed partial class ServiceFront
{
    public ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.Get, request, _timeout, cancellationToken);

    public ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.List, request, _timeout, cancellationToken);

    public ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default) =>
        RunAsync(Verbs.History, resource, _timeout, cancellationToken);
}

internal partial interface IServiceHost
{
    Task<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken);

    Task<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken);

    Task<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken);
}

internal sealed partial class RequestChecks
{
    /// <summary>Checks a read.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(GetLeaseRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return CheckResource(request.Resource);
    }

    /// <summary>Checks the name of a resource.</summary>
    /// <param name="resource">The name.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? CheckResource(string resource)
    {
        var errors = new Errors();
        Path(ref errors, "resource", resource);
        return errors.Refusal;
    }

    /// <summary>Checks a listing.</summary>
    /// <param name="request">The request.</param>
    /// <returns>What is wrong; null where nothing is.</returns>
    public static Refusal? Check(ListLeasesRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        var errors = new Errors();
        Page(ref errors, request.Prefix, request.After, request.PageSize);
        if (request.Owner is not null) Name(ref errors, "owner", request.Owner);
        if (!Enum.IsDefined(request.State)) errors.Add("state", $"state is {request.State}; it takes 'held', 'free' or 'any'.");
        return errors.Refusal;
    }
}

internal abstract partial record LeaseCommand
{
    /// <summary>Someone reads the state of the resource.</summary>
    /// <param name="Fresh">Compare with the stored version first.</param>
    public sealed record Get(bool Fresh) : LeaseCommand<LeaseInfo>
    {
        internal override bool IsRead => true;

        internal override bool RequiresFreshRead(bool isSingleWriter) => Fresh;

        internal override LeaseReply<LeaseInfo> Apply(LeaseDraft draft) => LeaseReply.Info.Instance;
    }

    /// <summary>Someone reads the stored events.</summary>
    public sealed record GetHistory : LeaseCommand<LeaseHistory>
    {
        /// <summary>The only one.</summary>
        public static readonly GetHistory Instance = new();

        internal override bool IsRead => true;

        internal override LeaseReply<LeaseHistory> Apply(LeaseDraft draft) => LeaseReply.History.Instance;
    }
}

internal abstract partial record LeaseReply
{
    internal sealed record Info : LeaseReply<LeaseInfo>
    {
        public static readonly Info Instance = new();

        internal override bool IsOvertaken(LeaseState state, bool durable, Instant now) => state.IsAnyOver(now);

        internal override LeaseResult<LeaseInfo> ToResult(in ResponseContext at) => at.Keeper.InfoOf(at.State, at.Now);
    }

    internal sealed record History : LeaseReply<LeaseHistory>
    {
        public static readonly History Instance = new();

        internal override bool IsOvertaken(LeaseState state, bool durable, Instant now) => state.IsAnyOver(now);

        internal override LeaseResult<LeaseHistory> ToResult(in ResponseContext at) => LeaseViews.History(at.Resource, at.State);
    }
}
