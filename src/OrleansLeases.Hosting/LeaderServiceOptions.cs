using OrleansLeases.Client;
using OrleansLeases.Client.Internal;

namespace OrleansLeases.Hosting;

/// <summary>
/// How a background service runs on one instance at a time. The options of a service have the full name of its type; they are checked
/// when the host starts.
/// </summary>
public sealed class LeaderServiceOptions
{
    /// <summary>The resource that the leader holds. Every instance of the service must name the same one.</summary>
    /// <value><c>leaders/</c> and the full name of the type by default; a generic service needs a name.</value>
    public string? Resource { get; set; }

    /// <summary>The key of the <see cref="LeaseClient"/> among the services.</summary>
    /// <value>Null by default: the one without a key.</value>
    public string? ClientKey { get; set; }

    /// <summary>The lease of the leader. Its mode and capacity are ignored.</summary>
    /// <value>
    /// 30 s by default. After a leader has crashed, the next one leads within its time to live, its lock-delay and the service's grace.
    /// </value>
    public LeaseOptions Lease { get; set; } = new();

    /// <summary>
    /// How long before the end of a lease that cannot be renewed the service is asked to stop: the time that it has for that before
    /// another instance can lead.
    /// </summary>
    /// <value>A third of the time to live by default; 0 to half of it.</value>
    public TimeSpan? StopMargin { get; set; }

    /// <summary>How long this instance does not lead after the service has failed there for the first time; longer each time.</summary>
    /// <value>1 s by default; more than 0, and no more than <see cref="LongestPause"/>.</value>
    public TimeSpan ShortestPause { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The longest pause after a failure, but for half as long again by chance. After a term that lasted this long the pauses begin anew.
    /// </summary>
    /// <value>1 min by default; at most a day.</value>
    public TimeSpan LongestPause { get; set; } = TimeSpan.FromMinutes(1);

    internal TimeSpan EffectiveStopMargin => StopMargin ?? Lease.Ttl / 3;

    /// <summary>What is wrong, with the remedy.</summary>
    internal IEnumerable<string> Faults()
    {
        const string Name = nameof(LeaderServiceOptions);
        IEnumerable<string?> faults =
        [
            string.IsNullOrEmpty(Resource)
                ? $"{Name}.{nameof(Resource)} is empty; a generic service needs a name, such as leaders/exports."
                : OptionBounds.NameFault($"{Name}.{nameof(Resource)}", Resource, "leaders/exports"),
            Lease is null ? $"{Name}.{nameof(Lease)} is null; leave it out for a lease of 30 s." : null,
            Lease is null ? null : LeaseFault.Of($"{Name}.{nameof(Lease)}", Lease),
            Lease is null ? null : OptionBounds.Fault($"{Name}.{nameof(StopMargin)}", EffectiveStopMargin, TimeSpan.Zero, Lease.Ttl / 2),
            OptionBounds.Fault($"{Name}.{nameof(LongestPause)}", LongestPause, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1)),
            OptionBounds.Fault($"{Name}.{nameof(ShortestPause)}", ShortestPause, TimeSpan.FromMilliseconds(1), LongestPause),
        ];
        return faults.OfType<string>();
    }
}
