namespace OrleansLeases.Embedded;

/// <summary>How an embedded lease service behaves. Immutable.</summary>
public sealed record EmbeddedLeaseOptions
{
    /// <summary>The bounds of requests.</summary>
    /// <value>The defaults of <see cref="LeaseLimits"/>.</value>
    public LeaseLimits Limits { get; init; } = new();

    /// <summary>
    /// How many times to live a stored renewal is good for: 1 stores every renewal, more keeps most in memory, at
    /// the price that a lease abandoned just before a crash is freed later by (factor-1) x ttl, at most 30 s.
    /// </summary>
    /// <value>2 by default; 1 to 100.</value>
    public int RenewalFactor { get; init; } = 2;

    /// <summary>How far the machine's clock may step while the service is down without freeing a lease early.</summary>
    /// <value>1 s by default; 0 to 1 h.</value>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromSeconds(1);
}
