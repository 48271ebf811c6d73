using OrleansLeases.Fencing.PostgreSql;

namespace OrleansLeases.Fencing.AspNetCore;

/// <summary>Which requests a service's fence admits, and for how long. Immutable; checked when the fence is added.</summary>
public sealed record LeaseFenceOptions
{
    /// <summary>
    /// Whether the fence takes a token only with its proof, in the header <c>Lease-Proof</c>. Then
    /// <see cref="LeaseFenceExtensions.AddLeaseProofs"/> says whose proofs, and the host does not start without.
    /// </summary>
    /// <value>
    /// True by default: the fence cannot know who reaches its endpoints, and a caller that makes a token up closes a resource to the
    /// holder of its lease. False where every caller that reaches them is trusted not to.
    /// </value>
    public bool RequireProof { get; init; } = true;

    /// <summary>How long a request may run, and may wait for others.</summary>
    /// <value>30 s and 5 s by default.</value>
    public FenceHoldOptions Hold { get; init; } = new();
}
