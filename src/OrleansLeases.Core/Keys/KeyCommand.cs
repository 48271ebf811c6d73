namespace OrleansLeases.Core;

/// <summary>What can happen to a key: a closed set. Requests arrive checked, with their request ids filled in.</summary>
internal abstract record KeyCommand
{
    private protected KeyCommand()
    {
    }

    /// <summary>The result of checking the leases since the command was first processed; null where none was checked.</summary>
    public LeaseCheck? LeaseCheck { get; init; }

    /// <summary>The request id that the command came with; null where its verb has none.</summary>
    internal virtual string? RequestId => null;

    /// <summary>Whether somebody asks for the key. If not, nobody waits for the response, and the record need not stay in memory.</summary>
    internal virtual bool IsUse => true;

    /// <summary>Whether the keeper must have compared its record with the store since the command arrived.</summary>
    internal virtual bool RequiresFreshRead => false;

    /// <summary>A put.</summary>
    /// <param name="request">The request, with its request id.</param>
    /// <returns>The command.</returns>
    public static KeyCommand<KeyReply.Written> Of(PutKeyRequest request) => new Put(request, RequestFingerprint.Of(request));

    /// <summary>An addition.</summary>
    /// <param name="request">The request, with its request id.</param>
    /// <returns>The command.</returns>
    public static KeyCommand<KeyReply.Written> Of(AddToCounterRequest request) => new Add(request, RequestFingerprint.Of(request));

    /// <summary>Someone reads the key.</summary>
    public sealed record Get : KeyCommand<KeyReply.Found>
    {
        internal override KeyReply<KeyReply.Found> Apply(KeyDraft draft) => draft.Get();
    }

    /// <summary>Someone writes the key.</summary>
    /// <param name="Request">What is written.</param>
    /// <param name="Fingerprint">The request id and its content.</param>
    public sealed record Put(PutKeyRequest Request, RequestFingerprint Fingerprint) : KeyCommand<KeyReply.Written>
    {
        internal override string? RequestId => Request.RequestId;

        internal override KeyReply<KeyReply.Written> Apply(KeyDraft draft) => draft.Put(Request, Fingerprint);
    }

    /// <summary>Someone adds to the key.</summary>
    /// <param name="Request">How much.</param>
    /// <param name="Fingerprint">The request id and its content.</param>
    public sealed record Add(AddToCounterRequest Request, RequestFingerprint Fingerprint) : KeyCommand<KeyReply.Written>
    {
        internal override string? RequestId => Request.RequestId;

        internal override KeyReply<KeyReply.Written> Apply(KeyDraft draft) => draft.Add(Request, Fingerprint);
    }

    /// <summary>Someone deletes the key.</summary>
    /// <param name="IfVersion">Only this version; null for any.</param>
    public sealed record Delete(long? IfVersion) : KeyCommand<KeyReply.Deleted>
    {
        internal override KeyReply<KeyReply.Deleted> Apply(KeyDraft draft) => draft.Delete(IfVersion);
    }

    /// <summary>
    /// A lease to which the key was attached has ended. A value bound to it goes; anything else stays, in a new
    /// generation: a write that was attached to the ended lease and is still on its way then loses. May come again.
    /// </summary>
    /// <param name="Resource">The lease's resource.</param>
    /// <param name="Token">Its token.</param>
    public sealed record Clean(string Resource, long Token) : KeyCommand<KeyReply.Cleaned>
    {
        internal override bool IsUse => false;

        internal override KeyReply<KeyReply.Cleaned> Apply(KeyDraft draft) => draft.Clean(Resource, Token);
    }

    /// <summary>
    /// A lease has the key's name on record, and the write that it was attached for came to nothing. Unless the key is bound to
    /// that lease, by another write, nothing that was attached up to then can be written any more. May come again.
    /// </summary>
    /// <param name="Resource">The resource of the lease.</param>
    /// <param name="Token">Its token.</param>
    /// <param name="Since">The generation for which the name is attached.</param>
    public sealed record Forgo(string Resource, long Token, long Since) : KeyCommand<KeyReply.Forgone>
    {
        internal override KeyReply<KeyReply.Forgone> Apply(KeyDraft draft) => draft.Forgo(Resource, Token, Since);
    }

    /// <summary>Someone starts to watch the key. The watch ends where the keeper does that answers.</summary>
    /// <param name="Since">The last change known; null to start with the state.</param>
    internal sealed record Watch(WatchPoint? Since) : KeyCommand<KeyReply.Watched>
    {
        internal override bool RequiresFreshRead => true;

        internal override KeyReply<KeyReply.Watched> Apply(KeyDraft draft) => new KeyReply.Watched(Since);
    }

    /// <summary>The key's time may be over.</summary>
    internal sealed record Tick : KeyCommand<KeyReply.Unchanged>
    {
        public static readonly Tick Instance = new();

        internal override bool IsUse => false;

        // The record in memory may be older than the stored one, of which it is said that its time is over.
        internal override bool RequiresFreshRead => true;

        internal override KeyReply<KeyReply.Unchanged> Apply(KeyDraft draft) => KeyReply.Unchanged.Instance;
    }

    /// <summary>Those who watch the key want its record compared with the store.</summary>
    internal sealed record Recheck : KeyCommand<KeyReply.Unchanged>
    {
        public static readonly Recheck Instance = new();

        internal override bool RequiresFreshRead => true;

        internal override KeyReply<KeyReply.Unchanged> Apply(KeyDraft draft) => KeyReply.Unchanged.Instance;
    }
}

/// <summary>A command and the kind of reply that it gets.</summary>
/// <typeparam name="TReply">The reply, where the command is not refused.</typeparam>
internal abstract record KeyCommand<TReply> : KeyCommand
    where TReply : KeyReply<TReply>
{
    private protected KeyCommand()
    {
    }

    /// <summary>Changes the draft of the next record.</summary>
    /// <returns>What to reply, once the next record is stored if it has changed.</returns>
    internal abstract KeyReply<TReply> Apply(KeyDraft draft);
}

/// <summary>What was found out about leases for one generation of a key.</summary>
/// <param name="Generation">The generation.</param>
/// <param name="Ended">The lease that the key is bound to has ended. Where it has not, it was in force when it was checked.</param>
/// <param name="Attached">The lease to bind it to has the key's name on record.</param>
internal sealed record LeaseCheck(long Generation, bool Ended, bool Attached);
