using Orleans.Metadata;

namespace OrleansLeases;

/// <summary>
/// What is asked of the service and not of one resource, for Orleans applications that call grains directly. A stateless
/// worker: any key is the same, by custom 0. Safe for concurrent use.
/// </summary>
[Alias("OrleansLeases.ILeaseServiceGrain"), DefaultGrainType("lease-service")]
public interface ILeaseServiceGrain : IGrainWithIntegerKey
{
    /// <summary>Lists resources in the byte order of their names, read from stored records.</summary>
    /// <param name="request">Which resources, and where to go on.</param>
    /// <param name="cancellationToken">Gives up the listing.</param>
    /// <returns>One page; a page's <c>Remaining</c> is an upper bound.</returns>
    [Alias("List")]
    Task<LeaseResult<LeasePage>> ListAsync([Immutable] ListLeasesRequest request, CancellationToken cancellationToken = default);

    /// <summary>Lists keys in the byte order of their names. A key whose lease has ended is not among them.</summary>
    /// <param name="request">Which keys, and where to go on.</param>
    /// <param name="cancellationToken">Gives up the listing.</param>
    /// <returns>One page, or <see cref="Refusal.Unavailable"/> where a lease could not be asked in time.</returns>
    [Alias("ListKeys")]
    Task<LeaseResult<KeyPage>> ListKeysAsync([Immutable] ListKeysRequest request, CancellationToken cancellationToken = default);

    /// <summary>Tells what this service is and what it promises; <see cref="Refusal.Unavailable"/> while it is not ready.</summary>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>Version, engine, durability, epoch, grace and limits.</returns>
    [Alias("Info")]
    Task<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default);
}
