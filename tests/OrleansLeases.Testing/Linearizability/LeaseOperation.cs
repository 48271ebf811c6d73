namespace OrleansLeases.Testing.Linearizability;

/// <summary>One call of a recorded history of one exclusive lease: a closed set. Times are those of the recorder's one clock.</summary>
/// <param name="Invoked">When the call was made.</param>
/// <param name="Returned">When its answer was there; <see cref="TimeSpan.MaxValue"/> where none ever came.</param>
public abstract record LeaseOperation(TimeSpan Invoked, TimeSpan Returned)
{
    /// <summary>Whether it happened for sure. A call without an answer may have happened at any time since, or never.</summary>
    public bool Certain { get; init; } = true;

    /// <summary>An acquire that was granted. Told is what the holder may count on, from its call on: elapsed and remaining.</summary>
    public sealed record Granted(TimeSpan Invoked, TimeSpan Returned, string Owner, long Token, TimeSpan Told, TimeSpan Ttl)
        : LeaseOperation(Invoked, Returned)
    {
        /// <summary>
        /// Whether the lease was in force for sure when its holder learned of it. An answer may be late, on a busy machine.
        /// </summary>
        public bool WasInForce => Invoked + Told > Returned;
    }

    /// <summary>
    /// A grant, by an acquire or a transfer, that its caller was never told: over before it could be, or given back
    /// because the wait was over. Its token is not known, but others may have seen it.
    /// </summary>
    public sealed record GrantedUntold(
        TimeSpan Invoked, TimeSpan Returned, long? From, string Owner, TimeSpan Least, TimeSpan Ttl) : LeaseOperation(Invoked, Returned);

    /// <summary>An acquire that found the lease held.</summary>
    public sealed record FoundHeld(TimeSpan Invoked, TimeSpan Returned, string By) : LeaseOperation(Invoked, Returned);

    /// <summary>A renewal of a grant.</summary>
    public sealed record Renewed(
        TimeSpan Invoked, TimeSpan Returned, long Token, TimeSpan Told, TimeSpan Ttl) : LeaseOperation(Invoked, Returned);

    /// <summary>The lease was ended, by a release or a break by force.</summary>
    public sealed record Ended(TimeSpan Invoked, TimeSpan Returned, long Token) : LeaseOperation(Invoked, Returned);

    /// <summary>A transfer of one grant to a new owner under another.</summary>
    public sealed record Transferred(
        TimeSpan Invoked, TimeSpan Returned, long From, string Owner, long To, TimeSpan Told,
        TimeSpan Ttl) : LeaseOperation(Invoked, Returned);

    /// <summary>A call of a holder that was told that it is none, or none any more.</summary>
    public sealed record NotHolder(TimeSpan Invoked, TimeSpan Returned, long Token) : LeaseOperation(Invoked, Returned);

    /// <summary>A read: the holder's token, or null where the lease was free.</summary>
    public sealed record Read(TimeSpan Invoked, TimeSpan Returned, long? Token) : LeaseOperation(Invoked, Returned);
}
