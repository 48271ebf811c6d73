using OrleansLeases.Client;

namespace OrleansLeases.Hosting;

/// <summary>
/// The term in which a service leads, for its constructor and for whatever else of its scope: the token that resources check.
/// Thread-safe.
/// </summary>
/// <param name="lease">The lease of the term. It stays the host's, to be released once the service has stopped.</param>
/// <exception cref="ArgumentNullException"><paramref name="lease"/> is null.</exception>
public sealed class LeaderTerm(LeaseHandle lease)
{
    /// <summary>
    /// The lease of the term, for <see cref="LeaseHandle.IsValid"/> and for requests that carry its token. Do not release it.
    /// </summary>
    public LeaseHandle Lease { get; } = lease ?? throw new ArgumentNullException(nameof(lease));

    /// <summary>The fencing token of the term, greater than that of every earlier term. It never changes.</summary>
    public long Token => Lease.Token;
}
