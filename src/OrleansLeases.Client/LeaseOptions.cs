namespace OrleansLeases.Client;

/// <summary>What kind of lease is asked for. Immutable; its bounds are the service's to check.</summary>
public sealed record LeaseOptions
{
    /// <summary>
    /// The time to live: after the last renewal that came through, the lease is others' to take this long after. Shorter
    /// frees sooner what a crashed holder had; longer lives through longer trouble with the service.
    /// </summary>
    /// <value>30 s by default; 100 ms to 24 h unless the service is configured otherwise.</value>
    public TimeSpan Ttl { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether others may hold the resource at the same time.</summary>
    /// <value><see cref="LeaseMode.Exclusive"/> by default.</value>
    public LeaseMode Mode { get; init; }

    /// <summary>For shared leases, how many may hold at once, at least 1; without it, any number.</summary>
    public int? Capacity { get; init; }

    /// <summary>For exclusive leases, how long other owners wait after this lease expires or is broken by force.</summary>
    /// <value>0 by default; at most 24 h.</value>
    public TimeSpan LockDelay { get; init; }

    /// <summary>Shown to anyone who asks about the lease: at most 16 entries, 2 KiB of UTF-8 together.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Who holds the lease.</summary>
    /// <value>
    /// The client's <see cref="LeaseClient.Owner"/> by default; for a shared lease that and a number, since an owner has one
    /// place.
    /// </value>
    public string? Owner { get; init; }

    /// <summary>
    /// How long the lease is held at most, however well it is renewed: then it is lost, and others have it once its time to
    /// live is over. For work that may hang.
    /// </summary>
    /// <value>Null by default: for as long as it is renewed. More than 0, counted from the grant.</value>
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

    internal AcquireRequest ToRequest(string resource, string owner) => new()
    {
        Resource = resource,
        Owner = owner,
        Ttl = Ttl,
        Mode = Mode,
        Capacity = Capacity,
        LockDelay = LockDelay,
        Metadata = Metadata,
    };
}
