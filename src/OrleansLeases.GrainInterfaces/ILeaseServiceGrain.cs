using Orleans.Metadata;

namespace OrleansLeases;

/// <summary>
/// The calls to the service that concern no single resource, for Orleans applications that call grains directly. A stateless
/// worker: the key does not matter and is 0 by convention. Safe for concurrent use.
/// </summary>
[Alias("OrleansLeases.ILeaseServiceGrain"), DefaultGrainType("lease-service")]
public interface ILeaseServiceGrain : IGrainWithIntegerKey
{
    /// <summary>Lists resources in the byte order of their names, read from stored records.</summary>
    /// <param name="request">The filter, the page size and where the page starts.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <returns>One page. The <c>Remaining</c> of its holders is an upper bound.</returns>
    [Alias("List")]
    Task<LeaseResult<LeasePage>> ListAsync([Immutable] ListLeasesRequest request, CancellationToken cancellationToken = default);

    /// <summary>Lists keys in the byte order of their names. A key whose lease has ended is not among them.</summary>
    /// <param name="request">The prefix, the page size and where the page starts.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <returns>One page, or <see cref="Refusal.Unavailable"/> where a lease did not respond in time.</returns>
    [Alias("ListKeys")]
    Task<LeaseResult<KeyPage>> ListKeysAsync([Immutable] ListKeysRequest request, CancellationToken cancellationToken = default);

    /// <summary>Describes the service and its limits. Refused with <see cref="Refusal.Unavailable"/> while it is not ready.</summary>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>Version, engine, durability, epoch, grace and limits.</returns>
    [Alias("Info")]
    Task<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default);

    /// <summary>Asks every silo how it is.</summary>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>The silos, in the order of their names.</returns>
    [Alias("ListMembers")]
    Task<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken = default);
}
