namespace OrleansLeases.Core;

/// <summary>What the machine answers, before the clock is read again for the response: a closed set.</summary>
internal abstract partial record LeaseReply
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

    /// <summary>The command has no result.</summary>
    public sealed record Unchanged : LeaseReply<Unchanged>
    {
        /// <summary>The only one.</summary>
        public static readonly Unchanged Instance = new();

        internal override LeaseResult<Unchanged> ToResult(in ResponseContext at) => this;
    }
}

/// <summary>What the machine answers to a command with this kind of response.</summary>
/// <typeparam name="TReply">The response, where the command is not refused.</typeparam>
internal abstract record LeaseReply<TReply> : LeaseReply
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
