namespace OrleansLeases.Core;

/// <summary>What can happen to a resource: a closed set. Requests arrive checked, with their request ids filled in.</summary>
public abstract record LeaseCommand
{
    private LeaseCommand()
    {
    }

    /// <summary>An acquire.</summary>
    /// <param name="request">The request, with its request id.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand Of(AcquireRequest request) => new Acquire(request, RequestStamp.Of(request));

    /// <summary>A renewal.</summary>
    /// <param name="request">The request.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand Of(RenewRequest request) => new Renew(request);

    /// <summary>A release.</summary>
    /// <param name="request">The request.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand Of(ReleaseRequest request) => new Release(request);

    /// <summary>A release on behalf of a caller that was gone before it had the grant.</summary>
    /// <param name="grant">The grant.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand GiveBack(LeaseGrant grant) => GiveBack(grant.Resource, grant.Owner, grant.Token);

    /// <summary>As <see cref="GiveBack(LeaseGrant)"/>.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="owner">The holder.</param>
    /// <param name="token">The token of the grant.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand GiveBack(string resource, string owner, long token) =>
        new Release(new ReleaseRequest { Resource = resource, Owner = owner, Token = token }, Undelivered: true);

    /// <summary>A transfer.</summary>
    /// <param name="request">The request, with its request id.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand Of(TransferRequest request) => new Transfer(request, RequestStamp.Of(request));

    /// <summary>A break.</summary>
    /// <param name="request">The request, with its request id.</param>
    /// <returns>The command.</returns>
    public static LeaseCommand Of(BreakRequest request) => new Break(request, RequestStamp.Of(request));

    /// <summary>Someone asks for the resource.</summary>
    /// <param name="Request">What is asked for.</param>
    /// <param name="Stamp">The request id and its content.</param>
    public sealed record Acquire(AcquireRequest Request, RequestStamp Stamp) : LeaseCommand;

    /// <summary>A holder extends its lease.</summary>
    /// <param name="Request">Which lease.</param>
    public sealed record Renew(RenewRequest Request) : LeaseCommand;

    /// <summary>A holder ends its lease.</summary>
    /// <param name="Request">Which lease.</param>
    /// <param name="Undelivered">
    /// Its caller was gone before the grant was delivered: the lease stays if a repeat of the request id has been answered with it since.
    /// </param>
    public sealed record Release(ReleaseRequest Request, bool Undelivered = false) : LeaseCommand;

    /// <summary>A holder hands its lease on.</summary>
    /// <param name="Request">Which lease, and to whom.</param>
    /// <param name="Stamp">The request id and its content.</param>
    public sealed record Transfer(TransferRequest Request, RequestStamp Stamp) : LeaseCommand;

    /// <summary>Someone ends a lease.</summary>
    /// <param name="Request">Which lease, when and why.</param>
    /// <param name="Stamp">The request id and its content.</param>
    public sealed record Break(BreakRequest Request, RequestStamp Stamp) : LeaseCommand;

    /// <summary>
    /// A key is about to be bound to a lease: the record names it first, so that it is cleaned up if the lease ends,
    /// whatever becomes of the write.
    /// </summary>
    /// <param name="Lease">Which lease.</param>
    /// <param name="Key">The key.</param>
    /// <param name="Since">
    /// The key's generation when it was read; 0 where it was bound to this lease already. A detach for an earlier one,
    /// late on its way, then does not take the name out of the record.
    /// </param>
    public sealed record Attach(KeyLease Lease, string Key, long Since) : LeaseCommand;

    /// <summary>A key is no longer bound to a lease. Nobody waits for it: a name left over costs its clean-up and no more.</summary>
    /// <param name="Token">The token of the lease.</param>
    /// <param name="Key">The key.</param>
    /// <param name="Generation">The key's generation since it no longer is.</param>
    public sealed record Detach(long Token, string Key, long Generation) : LeaseCommand;

    /// <summary>Keys of an ended lease are cleaned up, durably.</summary>
    /// <param name="Token">The token of the lease.</param>
    /// <param name="Keys">Which keys.</param>
    public sealed record CleanUpDone(long Token, IReadOnlyCollection<string> Keys) : LeaseCommand;

    /// <summary>A lease has no room for another key: which names it has on record, to find those without a key.</summary>
    /// <param name="Token">The token of the lease.</param>
    public sealed record AttachedKeys(long Token) : LeaseCommand;

    /// <summary>Someone asks which tokens are in force.</summary>
    public sealed record WhoHolds : LeaseCommand
    {
        /// <summary>The only one.</summary>
        public static readonly WhoHolds Instance = new();
    }

    /// <summary>Time has passed, or someone looks: what is over is recorded, and who waits is served.</summary>
    public sealed record Tick : LeaseCommand
    {
        /// <summary>The only one.</summary>
        public static readonly Tick Instance = new();
    }
}

/// <summary>A place in line, as the machine sees it.</summary>
/// <param name="Request">What is waited for.</param>
/// <param name="Stamp">The request id and its content.</param>
/// <param name="Present">Whether its client is there: a place without its client is passed over.</param>
public readonly record struct WaitingPlace(AcquireRequest Request, RequestStamp Stamp, bool Present);

/// <summary>What the machine answers, before the clock is read again for the reply: a closed set.</summary>
public abstract record LeaseReply
{
    private LeaseReply()
    {
    }

    /// <summary>The request holds this token.</summary>
    /// <param name="Token">The token.</param>
    /// <param name="Replayed">It was granted to an earlier call with the same request id.</param>
    public sealed record Granted(long Token, bool Replayed) : LeaseReply;

    /// <summary>The lease was extended, or is being broken and was not.</summary>
    /// <param name="Token">The token.</param>
    public sealed record Renewed(long Token) : LeaseReply;

    /// <summary>The lease has ended at its holder's word.</summary>
    /// <param name="Token">The token.</param>
    /// <param name="Replayed">It had ended before.</param>
    public sealed record Released(long Token, bool Replayed) : LeaseReply;

    /// <summary>The lease ends by order.</summary>
    /// <param name="Token">The token.</param>
    /// <param name="Ends">Monotonic: when.</param>
    public sealed record Breaking(long Token, TimeSpan Ends) : LeaseReply;

    /// <summary>It is on record.</summary>
    public sealed record Noted : LeaseReply
    {
        /// <summary>The only one.</summary>
        public static readonly Noted Instance = new();
    }

    /// <summary>These tokens are in force.</summary>
    /// <param name="InForce">The tokens.</param>
    public sealed record Tokens(IReadOnlyCollection<long> InForce) : LeaseReply;

    /// <summary>These names are on record.</summary>
    /// <param name="Since">Each with the key's generation for which it is; none where they were told a moment ago.</param>
    public sealed record Keys(IReadOnlyDictionary<string, long> Since) : LeaseReply;

    /// <summary>Nothing changes.</summary>
    /// <param name="Refusal">Why.</param>
    public sealed record Refused(Refusal Refusal) : LeaseReply;

    /// <summary>The state is the answer.</summary>
    public sealed record Seen : LeaseReply
    {
        /// <summary>The only one.</summary>
        public static readonly Seen Instance = new();
    }
}

/// <summary>A place in line that was served.</summary>
/// <param name="Stamp">Whose.</param>
/// <param name="Token">The token it was granted.</param>
public readonly record struct ServedPlace(RequestStamp Stamp, long Token);

/// <summary>What one command does to a record.</summary>
/// <param name="Next">The next record.</param>
/// <param name="Reply">The answer, to be given once <see cref="Next"/> is durable if it must be.</param>
/// <param name="Served">The places in line that <see cref="Next"/> grants.</param>
/// <param name="Durable">Whether <see cref="Next"/> must be stored before anything of it is told.</param>
/// <param name="CheckFirst">
/// The answer rests on what a newer record might know otherwise: compare with the store before telling it.
/// </param>
public readonly record struct Transition(
    LeaseState Next, LeaseReply Reply, IReadOnlyList<ServedPlace> Served, bool Durable, bool CheckFirst);
