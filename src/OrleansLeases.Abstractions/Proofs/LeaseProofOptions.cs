namespace OrleansLeases;

/// <summary>What a <see cref="LeaseProofVerifier"/> takes. Immutable.</summary>
public sealed record LeaseProofOptions
{
    /// <summary>
    /// The only service whose proofs are taken: <see cref="ServiceInfo.Service"/>. Null, the default, takes whatever the server's keys
    /// have signed.
    /// </summary>
    public string? Service { get; init; }

    /// <summary>
    /// How old a proof may be. Null, the default, sets no bound but that of its key, which is published for 400 days after its last use:
    /// a lease may be renewed for as long as its holder likes, and a late token is refused by the fence.
    /// </summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>How far the clock of the server may be ahead of this one: 1 min by default.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The clock; the system's by default.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
