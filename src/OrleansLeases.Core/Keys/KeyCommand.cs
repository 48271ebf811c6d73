namespace OrleansLeases.Core;

/// <summary>What can happen to a key: a closed set. Requests arrive checked, with their request ids filled in.</summary>
public abstract record KeyCommand
{
    private KeyCommand()
    {
    }

    /// <summary>What was found out about leases since the command was first asked; null where nothing was.</summary>
    public KeyPremise? Premise { get; init; }

    /// <summary>A put.</summary>
    /// <param name="request">The request, with its request id.</param>
    /// <returns>The command.</returns>
    public static KeyCommand Of(PutKeyRequest request) => new Put(request, RequestStamp.Of(request));

    /// <summary>An addition.</summary>
    /// <param name="request">The request, with its request id.</param>
    /// <returns>The command.</returns>
    public static KeyCommand Of(AddToCounterRequest request) => new Add(request, RequestStamp.Of(request));

    /// <summary>Someone reads the key.</summary>
    public sealed record Get : KeyCommand;

    /// <summary>Someone writes the key.</summary>
    /// <param name="Request">What is written.</param>
    /// <param name="Stamp">The request id and its content.</param>
    public sealed record Put(PutKeyRequest Request, RequestStamp Stamp) : KeyCommand;

    /// <summary>Someone adds to the key.</summary>
    /// <param name="Request">How much.</param>
    /// <param name="Stamp">The request id and its content.</param>
    public sealed record Add(AddToCounterRequest Request, RequestStamp Stamp) : KeyCommand;

    /// <summary>Someone deletes the key.</summary>
    /// <param name="IfVersion">Only this version; null for any.</param>
    public sealed record Delete(long? IfVersion) : KeyCommand;

    /// <summary>
    /// A lease to which the key was attached has ended. A value bound to it goes; anything else stays, in a new
    /// generation: a write that was attached to the ended lease and is still on its way then loses. May come again.
    /// </summary>
    /// <param name="Resource">The lease's resource.</param>
    /// <param name="Token">Its token.</param>
    public sealed record Clean(string Resource, long Token) : KeyCommand;

    /// <summary>
    /// A lease has the key's name on record, and the write that it was attached for came to nothing. Unless the key is bound to
    /// that lease, by another write, nothing that was attached up to then can be written any more. May come again.
    /// </summary>
    /// <param name="Resource">The resource of the lease.</param>
    /// <param name="Token">Its token.</param>
    /// <param name="Since">The generation for which the name is attached.</param>
    public sealed record Forgo(string Resource, long Token, long Since) : KeyCommand;
}

/// <summary>What was found out about leases for one generation of a key.</summary>
/// <param name="Generation">The generation.</param>
/// <param name="Ended">The lease that the key is bound to has ended. Where it has not: it was in force when asked.</param>
/// <param name="Attached">The lease to bind it to has the key's name on record.</param>
public sealed record KeyPremise(long Generation, bool Ended, bool Attached);

/// <summary>What the machine answers: a closed set.</summary>
public abstract record KeyReply
{
    private KeyReply()
    {
    }

    /// <summary>The key has this value.</summary>
    /// <param name="Value">The value.</param>
    /// <param name="Revision">The version that callers are told.</param>
    /// <param name="Binding">What it is bound to.</param>
    public sealed record Found(string Value, long Revision, KeyBinding? Binding) : KeyReply;

    /// <summary>It is written.</summary>
    /// <param name="Revision">The version that callers are told.</param>
    /// <param name="Sum">What an addition made of it.</param>
    /// <param name="Replayed">By an earlier call with the same request id.</param>
    /// <param name="Unbound">The lease that it is no longer bound to.</param>
    public sealed record Written(long Revision, long? Sum, bool Replayed, Unbound? Unbound = null) : KeyReply;

    /// <summary>It is not there, or no longer.</summary>
    /// <param name="Existed">Whether it was.</param>
    /// <param name="Unbound">The lease that it is no longer bound to.</param>
    public sealed record Deleted(bool Existed, Unbound? Unbound = null) : KeyReply;

    /// <summary>Nothing that was attached to the ended lease is there, or can still come.</summary>
    public sealed record Cleaned : KeyReply
    {
        /// <summary>The only one.</summary>
        public static readonly Cleaned Instance = new();
    }

    /// <summary>What a write that came to nothing leaves with the lease it was to be bound to.</summary>
    /// <param name="Generation">The key's generation: a name attached for an earlier one can be detached. Null where the key is bound to the lease.</param>
    public sealed record Forgone(long? Generation) : KeyReply;

    /// <summary>Find out whether the key's lease is in force, and ask again with that as the premise.</summary>
    /// <param name="Generation">The key's generation.</param>
    /// <param name="Binding">Which lease.</param>
    /// <param name="IfInForce">The answer to a read if it is: then nothing more needs to be asked.</param>
    public sealed record AskWhetherInForce(long Generation, KeyBinding Binding, KeyReply? IfInForce = null) : KeyReply;

    /// <summary>Attach the key to the lease, and ask again with that as the premise.</summary>
    /// <param name="Since">The generation for which it is attached; 0 for any.</param>
    /// <param name="Then">The premise once that is done.</param>
    public sealed record AskToAttach(long Since, KeyPremise Then) : KeyReply;

    /// <summary>Nothing changes.</summary>
    /// <param name="Refusal">Why.</param>
    public sealed record Refused(Refusal Refusal) : KeyReply;
}

/// <summary>A lease that a key is no longer bound to.</summary>
/// <param name="Binding">Which lease.</param>
/// <param name="Generation">The key's generation since it is not.</param>
public sealed record Unbound(KeyBinding Binding, long Generation);

/// <summary>What one command does to a key's record.</summary>
/// <param name="Next">The next record; the same one where nothing changes.</param>
/// <param name="Reply">The answer, to be given once <see cref="Next"/> is durable.</param>
public readonly record struct KeyTransition(KeyState Next, KeyReply Reply);
