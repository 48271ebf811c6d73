namespace OrleansLeases.Client;

/// <summary>The kind of lease to acquire. Immutable; the service checks the bounds.</summary>
public sealed record LeaseOptions
{
    /// <summary>
    /// The time to live: how long after its last successful renewal the lease expires. A shorter one frees the resource of a crashed
    /// holder sooner; a longer one survives a longer outage of the service.
    /// </summary>
    /// <value>30 s by default; 100 ms to 24 h unless the service is configured otherwise.</value>
    public TimeSpan Ttl { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether others may hold the resource at the same time.</summary>
    /// <value><see cref="LeaseMode.Exclusive"/> by default.</value>
    public LeaseMode Mode { get; init; }

    /// <summary>For shared leases, how many may hold at once: 1 to 1,000; null for any number.</summary>
    public int? Capacity { get; init; }

    /// <summary>For exclusive leases, how long other owners wait after this lease expires or is broken by force.</summary>
    /// <value>0 by default; at most 24 h.</value>
    public TimeSpan LockDelay { get; init; }

    /// <summary>
    /// For exclusive leases, how long after the grant other owners wait, however early the lease is released or ends. For jobs that end
    /// in a moment, and hosts whose clocks differ. The same owner, such as another task with this client, does not wait.
    /// </summary>
    /// <value>0 by default; at most 24 h.</value>
    public TimeSpan HoldAtLeast { get; init; }

    /// <summary>Returned to every caller that reads the lease: at most 16 entries, 2 KiB of UTF-8 together. None by default.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>The owner of the lease.</summary>
    /// <value>
    /// The client's <see cref="LeaseClient.Owner"/> by default; for a shared lease with a number, since an owner holds a resource
    /// once.
    /// </value>
    public string? Owner { get; init; }

    /// <summary>
    /// Asks for <see cref="LeaseHandle.Proof"/>, for resources that take no token without one. Only where the service is reached by HTTP.
    /// </summary>
    /// <value>False by default.</value>
    public bool Proof { get; init; }

    /// <summary>
    /// The longest hold, counted from the grant: then the client stops renewing, the lease is lost, and its resource is free once the
    /// time to live is over. For work that may hang.
    /// </summary>
    /// <value>Null by default, for no limit; otherwise more than 0.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is not positive.</exception>
    public TimeSpan? MaxHold
    {
        get;
        init
        {
            if (value <= TimeSpan.Zero)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(value), value, $"{nameof(MaxHold)} is {value}; it takes more than 0, or null for no limit.");
            }

            field = value;
        }
    }

    /// <summary>
    /// A capacity beyond the service's <see cref="LeaseLimits.MaxHolders"/> asks for that many. Decision distributed-lock-capacity.
    /// </summary>
    internal bool FitsCapacity { get; init; }

    internal AcquireRequest ToRequest(string resource, string owner) => new()
    {
        Resource = resource,
        Owner = owner,
        Ttl = Ttl,
        Mode = Mode,
        Capacity = Capacity,
        LockDelay = LockDelay,
        HoldAtLeast = HoldAtLeast,
        Proof = Proof,
        Metadata = Metadata,
    };
}
