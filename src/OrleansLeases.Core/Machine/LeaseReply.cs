namespace OrleansLeases.Core;

/// <summary>What the machine answers, before the clock is read again for the response: a closed set.</summary>
public abstract record LeaseReply
{
    private protected LeaseReply()
    {
    }

    /// <summary>Why the command changes nothing; null where it was not refused.</summary>
    public virtual Refusal? Refusal => null;

    /// <summary>Whether time has ended, while the record was being stored, a lease that the response rests on.</summary>
    /// <param name="state">The record as it is stored now.</param>
    /// <param name="durable">Whether the command had it stored.</param>
    /// <param name="now">When the response is made.</param>
    internal virtual bool IsOvertaken(LeaseState state, bool durable, Instant now) => false;

    /// <summary>The request holds this token.</summary>
    /// <param name="Token">The token.</param>
    /// <param name="Replayed">It was granted to an earlier call with the same request id.</param>
    public sealed record Granted(long Token, bool Replayed) : LeaseReply<LeaseGrant>
    {
        internal override bool IsOvertaken(LeaseState state, bool durable, Instant now) => state.IsOver(Token, now);

        internal override LeaseResult<LeaseGrant> ToResult(in ResponseContext at) =>
            LeaseViews.Grant(at.Resource, at.State.HolderOf(Token), at.RequestId!, Replayed, at.Received, at.Now);
    }

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

    /// <summary>The lease has ended at its holder's word.</summary>
    /// <param name="Token">The token.</param>
    /// <param name="Replayed">It had ended before.</param>
    public sealed record Released(long Token, bool Replayed) : LeaseReply<LeaseRelease>
    {
        internal override LeaseResult<LeaseRelease> ToResult(in ResponseContext at) =>
            new LeaseRelease { Resource = at.Resource, Token = Token, Replayed = Replayed };
    }

    /// <summary>The lease ends by order.</summary>
    /// <param name="Token">The token.</param>
    /// <param name="Ends">Monotonic: when.</param>
    public sealed record Breaking(long Token, TimeSpan Ends) : LeaseReply<LeaseBreak>
    {
        internal override bool IsOvertaken(LeaseState state, bool durable, Instant now) => state.IsOver(Token, now);

        internal override LeaseResult<LeaseBreak> ToResult(in ResponseContext at) => LeaseViews.Break(at.Resource, Token, Ends, at.Now);
    }

    /// <summary>It is on record.</summary>
    public sealed record Acknowledged : LeaseReply<Acknowledged>
    {
        /// <summary>The only one.</summary>
        public static readonly Acknowledged Instance = new();

        internal override LeaseResult<Acknowledged> ToResult(in ResponseContext at) => this;
    }

    /// <summary>These tokens are in force.</summary>
    /// <param name="InForce">The tokens.</param>
    public sealed record ActiveTokens(IReadOnlyCollection<long> InForce) : LeaseReply<ActiveTokens>
    {
        internal override bool IsOvertaken(LeaseState state, bool durable, Instant now) => state.IsAnyOver(now);

        internal override LeaseResult<ActiveTokens> ToResult(in ResponseContext at) => this;
    }

    /// <summary>These names are on record.</summary>
    /// <param name="Since">Each with the key's generation for which it is; none where the keeper has shown them a moment ago.</param>
    public sealed record AttachedKeys(IReadOnlyDictionary<string, long> Since) : LeaseReply<AttachedKeys>
    {
        internal override LeaseResult<AttachedKeys> ToResult(in ResponseContext at) => this;
    }

    /// <summary>Nothing was asked for.</summary>
    public sealed record Unchanged : LeaseReply<Unchanged>
    {
        /// <summary>The only one.</summary>
        public static readonly Unchanged Instance = new();

        internal override LeaseResult<Unchanged> ToResult(in ResponseContext at) => this;
    }

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

    internal sealed record Watch(WatchPoint? Since) : LeaseReply<LeaseWatch>
    {
        internal override bool IsOvertaken(LeaseState state, bool durable, Instant now) => state.IsAnyOver(now);

        internal override LeaseResult<LeaseWatch> ToResult(in ResponseContext at) => at.Keeper.WatchFrom(Since, at.State, at.Now);
    }
}

/// <summary>What the machine answers to a command with this kind of response.</summary>
/// <typeparam name="TReply">The response, where the command is not refused.</typeparam>
public abstract record LeaseReply<TReply> : LeaseReply
    where TReply : class
{
    private protected LeaseReply()
    {
    }

    /// <summary>What the caller gets: whatever is left of a lease counts from the moment of the response.</summary>
    internal abstract LeaseResult<TReply> ToResult(in ResponseContext at);

    /// <summary>Refuses a command.</summary>
    /// <param name="refusal">Why.</param>
    public static implicit operator LeaseReply<TReply>(Refusal refusal) => new Refused(refusal);

    private sealed record Refused(Refusal Why) : LeaseReply<TReply>
    {
        public override Refusal Refusal => Why;

        // A refusal that names the holders must not name one whose lease has ended since.
        internal override bool IsOvertaken(LeaseState state, bool durable, Instant now) => Why is Refusal.Held && state.IsAnyOver(now);

        internal override LeaseResult<TReply> ToResult(in ResponseContext at) => Why;
    }
}

/// <summary>One moment at which a keeper responds to a call.</summary>
/// <param name="Keeper">The keeper.</param>
/// <param name="State">What is stored, or renewed within the stored horizon.</param>
/// <param name="RequestId">The request id of the call.</param>
/// <param name="Received">When the call was received.</param>
/// <param name="Now">When the keeper responds.</param>
internal readonly record struct ResponseContext(LeaseKeeper Keeper, LeaseState State, string? RequestId, Instant Received, Instant Now)
{
    public string Resource => Keeper.Name;
}
