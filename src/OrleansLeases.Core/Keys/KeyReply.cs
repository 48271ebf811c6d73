namespace OrleansLeases.Core;

/// <summary>What the machine answers: a closed set.</summary>
internal abstract record KeyReply
{
    private protected KeyReply()
    {
    }

    /// <summary>The key has this value.</summary>
    /// <param name="Value">The value.</param>
    /// <param name="Revision">The version that callers see.</param>
    /// <param name="Binding">What it is bound to.</param>
    public sealed record Found(string Value, long Revision, KeyBinding? Binding) : KeyReply<Found>
    {
        /// <inheritdoc/>
        internal override Found Done => this;

        internal KeyValue ToValue(string key) => new() { Key = key, Value = Value, Version = Revision, Lease = Binding?.ToLease() };
    }

    /// <summary>It is written.</summary>
    /// <param name="Revision">The version that callers see.</param>
    /// <param name="Sum">What an addition made of it.</param>
    /// <param name="Replayed">By an earlier call with the same request id.</param>
    /// <param name="Detached">The lease that it is no longer bound to.</param>
    public sealed record Written(long Revision, long? Sum, bool Replayed, DetachedBinding? Detached = null) : KeyReply<Written>
    {
        /// <inheritdoc/>
        internal override Written Done => this;

        internal override DetachedBinding? Leaves => Detached;

        internal override bool UsesAttachment => !Replayed;
    }

    /// <summary>It is not there, or no longer.</summary>
    /// <param name="Existed">Whether it was.</param>
    /// <param name="Detached">The lease that it is no longer bound to.</param>
    public sealed record Deleted(bool Existed, DetachedBinding? Detached = null) : KeyReply<Deleted>
    {
        /// <inheritdoc/>
        internal override Deleted Done => this;

        internal override DetachedBinding? Leaves => Detached;

        internal override bool RestsOnAbsence => !Existed;
    }

    /// <summary>Nothing that was attached to the ended lease is there, or can still come.</summary>
    public sealed record Cleaned : KeyReply<Cleaned>
    {
        /// <summary>The only one.</summary>
        public static readonly Cleaned Instance = new();

        /// <inheritdoc/>
        internal override Cleaned Done => this;
    }

    /// <summary>What a write that came to nothing leaves with the lease it was to be bound to.</summary>
    /// <param name="Generation">
    /// The key's generation: a name attached for an earlier one can be detached. Null where the key is bound to the lease.
    /// </param>
    public sealed record Forgone(long? Generation) : KeyReply<Forgone>
    {
        /// <inheritdoc/>
        internal override Forgone Done => this;
    }

    internal sealed record Watched(WatchPoint? Since) : KeyReply<Watched>
    {
        /// <summary>The watch, once the keeper has started it.</summary>
        public KeyWatch? Watch { get; init; }

        /// <inheritdoc/>
        internal override Watched Done => this;

        internal override KeyReply<Watched> ToResponse(KeyKeeper keeper, KeyState state) =>
            this with { Watch = keeper.WatchFrom(Since, state) };
    }

    internal sealed record Unchanged : KeyReply<Unchanged>
    {
        public static readonly Unchanged Instance = new();

        /// <inheritdoc/>
        internal override Unchanged Done => this;
    }
}

/// <summary>What the machine answers to a command with this kind of reply.</summary>
/// <typeparam name="TReply">The reply, where the command is not refused and nothing is left to find out.</typeparam>
internal abstract record KeyReply<TReply> : KeyReply
    where TReply : KeyReply<TReply>
{
    private protected KeyReply()
    {
    }

    /// <summary>The reply itself; null where it is a refusal, or asks for something to be found out.</summary>
    // Not public: a record shows what is public in its text, and that of itself would have no end.
    internal virtual TReply? Done => null;

    /// <summary>The lease that the key is no longer bound to by this command.</summary>
    internal virtual DetachedBinding? Leaves => null;

    /// <summary>Whether the command has written, and so relies on the lease that it attached the key to.</summary>
    internal virtual bool UsesAttachment => false;

    /// <summary>Whether nothing is stored that would show what another activation has written since.</summary>
    internal virtual bool RestsOnAbsence => false;

    /// <summary>What is to be replied by the keeper that has stored the record.</summary>
    internal virtual KeyReply<TReply> ToResponse(KeyKeeper keeper, KeyState state) => this;

    /// <summary>The reply as a keeper's result: a refusal, or any other reply.</summary>
    internal virtual LeaseResult<KeyReply<TReply>> ToResult() => this;

    /// <summary>Refuses a command.</summary>
    /// <param name="refusal">Why.</param>
    public static implicit operator KeyReply<TReply>(Refusal refusal) => new Refused(refusal);

    /// <summary>Find out whether the key's lease is in force, and ask again with that as the premise.</summary>
    /// <param name="Generation">The key's generation.</param>
    /// <param name="Binding">Which lease.</param>
    /// <param name="IfInForce">The response to a read if it is: then nothing more needs to be checked.</param>
    public sealed record AskWhetherInForce(long Generation, KeyBinding Binding, KeyReply<TReply>? IfInForce = null) : KeyReply<TReply>;

    /// <summary>Attach the key to the lease, and ask again with that as the premise.</summary>
    /// <param name="Since">The generation for which it is attached; 0 for any.</param>
    /// <param name="Then">The premise once that is done.</param>
    public sealed record AskToAttach(long Since, LeaseCheck Then) : KeyReply<TReply>;

    /// <summary>Nothing changes.</summary>
    /// <param name="Refusal">Why.</param>
    public sealed record Refused(Refusal Refusal) : KeyReply<TReply>
    {
        internal override bool RestsOnAbsence => true;

        internal override LeaseResult<KeyReply<TReply>> ToResult() => Refusal;
    }
}

/// <summary>A lease that a key is no longer bound to.</summary>
/// <param name="Binding">Which lease.</param>
/// <param name="Generation">The key's generation since it is not.</param>
internal sealed record DetachedBinding(KeyBinding Binding, long Generation);

/// <summary>What one command does to a key's record.</summary>
/// <typeparam name="TReply">The reply of the command.</typeparam>
/// <param name="Next">The next record; the same one where nothing changes.</param>
/// <param name="Reply">The answer, to be given once <see cref="Next"/> is durable.</param>
internal readonly record struct KeyTransition<TReply>(KeyState Next, KeyReply<TReply> Reply)
    where TReply : KeyReply<TReply>;
