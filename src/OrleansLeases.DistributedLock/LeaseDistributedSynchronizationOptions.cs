using OrleansLeases.Client;
using OrleansLeases.DistributedLocks.Internal;

namespace OrleansLeases.DistributedLocks;

/// <summary>What the locks of a provider are made of. Immutable.</summary>
public sealed record LeaseDistributedSynchronizationOptions
{
    /// <summary>
    /// The options of every lease that is acquired: its time to live, its lock-delay, a proof, the longest hold. Its mode, capacity and
    /// owner are ignored; only exclusive leases leave a lock-delay, and are held for at least so long. Both keep out other clients: all
    /// locks and writers of one client are one owner, whom neither binds.
    /// </summary>
    /// <value>A lease of 30 s by default.</value>
    /// <exception cref="ArgumentNullException">The value is null.</exception>
    public LeaseOptions Lease
    {
        get;
        init => field = value ?? throw new ArgumentNullException(
            nameof(value), $"{nameof(Lease)} is null; leave it out for a lease of 30 s, or set new {nameof(LeaseOptions)}().");
    } = new();

    /// <summary>
    /// What the resource of every name begins with, such as <c>locks</c> for <c>locks/orders</c>: for rights by prefix, and to keep
    /// apart from other users of the service.
    /// </summary>
    /// <value>None by default; otherwise a path of at most 256 bytes of UTF-8, without a <c>/</c> at its end.</value>
    /// <exception cref="ArgumentException">The value is no such path.</exception>
    public string? Prefix
    {
        get;
        init
        {
            if (value is not null && !ResourceNames.IsPrefix(value))
            {
                throw new ArgumentException(
                    $"{nameof(Prefix)} is '{value}'; it takes null, or 1 to {ResourceNames.MaxPrefixBytes} bytes of UTF-8: segments joined "
                        + "by '/', none of them empty, '.' or '..', without control characters.",
                    nameof(value));
            }

            field = value;
        }
    }
}
