namespace OrleansLeases.Core;

/// <summary>What can happen to a resource: a closed set. Requests arrive checked, with their request ids filled in.</summary>
internal abstract partial record LeaseCommand
{
    private protected LeaseCommand()
    {
    }

    /// <summary>The request id that the command came with; null where its verb has none.</summary>
    internal virtual string? RequestId => null;

    /// <summary>Whether it asks for nothing to be changed.</summary>
    internal virtual bool IsRead => false;

    /// <summary>Whether the record should stay in memory for more commands of its kind.</summary>
    internal virtual bool IsUse => true;

    /// <summary>Whether nobody waits for the response, so that other saves may go first.</summary>
    internal virtual bool IsBackground => false;

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
    public sealed record Attach(KeyLease Lease, string Key, long Since) : LeaseCommand<LeaseReply.Acknowledged>
    {
        internal override LeaseReply<LeaseReply.Acknowledged> Apply(LeaseDraft draft) => draft.Attach(this);
    }

    /// <summary>A key is no longer bound to a lease. Nobody waits for it: a name left over costs its clean-up and no more.</summary>
    /// <param name="Token">The token of the lease.</param>
    /// <param name="Key">The key.</param>
    /// <param name="Generation">The key's generation since it no longer is.</param>
    public sealed record Detach(long Token, string Key, long Generation) : LeaseCommand<LeaseReply.Acknowledged>
    {
        internal override bool IsUse => false;

        internal override bool IsBackground => true;

        internal override LeaseReply<LeaseReply.Acknowledged> Apply(LeaseDraft draft) => draft.Detach(this);
    }

    /// <summary>Keys of an ended lease are cleaned up, durably.</summary>
    /// <param name="Token">The token of the lease.</param>
    /// <param name="Keys">Which keys.</param>
    public sealed record CleanUpDone(long Token, IReadOnlyCollection<string> Keys) : LeaseCommand<LeaseReply.Acknowledged>
    {
        internal override bool IsUse => false;

        internal override bool IsBackground => true;

        internal override LeaseReply<LeaseReply.Acknowledged> Apply(LeaseDraft draft) => draft.CleanUpDone(this);
    }

    /// <summary>A lease has no room for another key: which names it has on record, to find those without a key.</summary>
    /// <param name="Token">The token of the lease.</param>
    public sealed record GetAttachedKeys(long Token) : LeaseCommand<LeaseReply.AttachedKeys>
    {
        internal override bool IsRead => true;

        internal override LeaseReply<LeaseReply.AttachedKeys> Apply(LeaseDraft draft) => draft.GetAttachedKeys(this);
    }

    /// <summary>Someone asks which tokens are in force.</summary>
    public sealed record GetActiveTokens : LeaseCommand<LeaseReply.ActiveTokens>
    {
        /// <summary>The only one.</summary>
        public static readonly GetActiveTokens Instance = new();

        internal override bool IsRead => true;

        internal override LeaseReply<LeaseReply.ActiveTokens> Apply(LeaseDraft draft) => draft.GetActiveTokens();
    }

    /// <summary>Time has passed: what is over is recorded, and waiters are granted what they fit.</summary>
    /// <param name="Fresh">Compare with the stored version first.</param>
    public sealed record Tick(bool Fresh) : LeaseCommand<LeaseReply.Unchanged>
    {
        /// <summary>The one that trusts what the keeper knows.</summary>
        public static readonly Tick Instance = new(Fresh: false);

        internal override bool IsBackground => true;

        internal override bool RequiresFreshRead(bool isSingleWriter) => Fresh;

        internal override LeaseReply<LeaseReply.Unchanged> Apply(LeaseDraft draft) => LeaseReply.Unchanged.Instance;
    }
}

/// <summary>A command and the kind of response that its caller gets.</summary>
/// <typeparam name="TReply">The response, where the command is not refused.</typeparam>
internal abstract record LeaseCommand<TReply> : LeaseCommand
    where TReply : class
{
    private protected LeaseCommand()
    {
    }

    /// <summary>Changes the draft of the next record.</summary>
    /// <returns>What to respond, once the next record is stored if it must be.</returns>
    internal abstract LeaseReply<TReply> Apply(LeaseDraft draft);

    /// <summary>Whether the keeper must have compared its record with the store since the command arrived.</summary>
    /// <param name="isSingleWriter">Whether nobody else writes to the store.</param>
    internal virtual bool RequiresFreshRead(bool isSingleWriter) => false;

    /// <summary>Has a call that found the resource held wait for it.</summary>
    /// <returns>Whether it waits, or has its response already; false where the caller gets the refusal that the resource is held.</returns>
    internal virtual bool TryWait(LeaseKeeper keeper, LeaseCall<TReply> call, Instant now) => false;
}

/// <summary>A request that waits in the queue, as the machine sees it.</summary>
/// <param name="Request">What it asks for.</param>
/// <param name="Fingerprint">The request id and its content.</param>
/// <param name="Present">Whether its client is there: a request without its client is passed over.</param>
internal readonly record struct QueuedRequest(AcquireRequest Request, RequestFingerprint Fingerprint, bool Present);

/// <summary>A request that was granted, from the queue or the newest one.</summary>
/// <param name="Fingerprint">Whose.</param>
/// <param name="Token">The token it was granted.</param>
internal readonly record struct GrantedRequest(RequestFingerprint Fingerprint, long Token);

/// <summary>What one command does to a record.</summary>
/// <typeparam name="TReply">The response of the command.</typeparam>
/// <param name="Next">The next record.</param>
/// <param name="Reply">The reply, to be sent once <see cref="Next"/> is durable if it must be.</param>
/// <param name="Granted">The requests that <see cref="Next"/> grants.</param>
/// <param name="Durable">Whether <see cref="Next"/> must be stored before the keeper responds.</param>
/// <param name="RequiresFreshRead">
/// The reply rests on what a newer record might know otherwise: compare with the store before responding.
/// </param>
internal readonly record struct Transition<TReply>(
    LeaseState Next, LeaseReply<TReply> Reply, IReadOnlyList<GrantedRequest> Granted, bool Durable, bool RequiresFreshRead)
    where TReply : class;
