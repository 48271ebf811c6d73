using Orleans.Metadata;

namespace OrleansLeases;

/// <summary>
/// The leases of one resource, for Orleans applications that call grains directly. Get it with
/// <see cref="LeaseGrainFactoryExtensions.GetLease"/>. Safe for concurrent use.
/// </summary>
/// <remarks>
/// <para>The methods are those of <see cref="ILeaseService"/>, with the same responses: a refusal is a value. An exception
/// comes from Orleans alone, such as a <see cref="TimeoutException"/>, and leaves the outcome unknown: repeat the call
/// with its request id, a renewal or release as it is.</para>
/// <para>Every request names the resource of this grain; another name is refused as
/// <see cref="Refusal.InvalidRequest"/>.</para>
/// <para>Within a silo neither requests nor responses are copied. Leave the metadata of a request unchanged once it is
/// sent.</para>
/// <para>A cancelled token abandons the response, not the change; a queued acquire leaves the queue.</para>
/// </remarks>
[Alias("OrleansLeases.ILeaseGrain"), DefaultGrainType("lease")]
public interface ILeaseGrain : IGrainWithStringKey
{
    /// <summary>
    /// Grants the resource, or refuses and names its holders. Applied once for a request id: name one in every request, since a
    /// call that timed out can only be repeated with it.
    /// </summary>
    /// <param name="request">The request. With a <see cref="AcquireRequest.Wait"/> the call waits in the queue.</param>
    /// <param name="cancellationToken">
    /// Leaves the queue and abandons the response. A grant that was made by then stays in force, unknown to the caller, until its
    /// time to live is over, unless the request is repeated by its id; <see cref="ILeaseService"/> releases it.
    /// </param>
    /// <returns>
    /// The grant, or <see cref="Refusal.Held"/>, <see cref="Refusal.Conflict"/>, <see cref="Refusal.NotHolder"/>
    /// (a replayed grant that has ended), <see cref="Refusal.LimitReached"/> or a service-wide refusal.
    /// </returns>
    /// <exception cref="OperationCanceledException">The token was cancelled; a grant may still have been made.</exception>
    // A wait takes up to 25 s of it; the rest is for a save, and for a fail-over to another silo.
    [Alias("Acquire"), ResponseTimeout("00:01:00")]
    Task<LeaseResult<LeaseGrant>> AcquireAsync([Immutable] AcquireRequest request, CancellationToken cancellationToken = default);

    /// <summary>Extends a lease by its time to live from now. Never moves its deadline earlier.</summary>
    /// <param name="request">Which lease, named by resource, owner and token.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the renewal may still happen.</param>
    /// <returns>The renewal, or <see cref="Refusal.NotHolder"/> with the reason.</returns>
    [Alias("Renew")]
    Task<LeaseResult<LeaseRenewal>> RenewAsync([Immutable] RenewRequest request, CancellationToken cancellationToken = default);

    /// <summary>Releases a lease. A repeat gets the response of the first, marked as replayed, while the history has the release.</summary>
    /// <param name="request">Which lease, named by resource, owner and token.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the release may still happen.</param>
    /// <returns>The release, or <see cref="Refusal.NotHolder"/> with the reason.</returns>
    [Alias("Release")]
    Task<LeaseResult<LeaseRelease>> ReleaseAsync([Immutable] ReleaseRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Hands a lease to a new owner ahead of the queue: same mode and capacity, full time to live, a new token.
    /// Applied once for a request id.
    /// </summary>
    /// <param name="request">The lease, named by resource, owner and token, and its new owner.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the transfer may still happen.</param>
    /// <returns>
    /// The new owner's grant, or <see cref="Refusal.NotHolder"/>; <see cref="Refusal.Held"/> where the new owner
    /// holds the resource already; <see cref="Refusal.Conflict"/> where the lease is being broken.
    /// </returns>
    [Alias("Transfer")]
    Task<LeaseResult<LeaseGrant>> TransferAsync([Immutable] TransferRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends a lease against its holder's will. Without force the lease ends no earlier than the last deadline that its holder
    /// received; with force only fencing protects the resource. Applied once for a request id.
    /// </summary>
    /// <param name="request">The lease, its notice and the reason.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the break may still happen.</param>
    /// <returns>When the lease ends at the latest, or <see cref="Refusal.NotHolder"/>.</returns>
    [Alias("Break")]
    Task<LeaseResult<LeaseBreak>> BreakAsync([Immutable] BreakRequest request, CancellationToken cancellationToken = default);

    /// <summary>Returns the holders of the resource. A name never used is free, with last token 0.</summary>
    /// <param name="request">The resource, and whether to compare with the store first.</param>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>The state of the resource.</returns>
    [Alias("Get")]
    Task<LeaseResult<LeaseInfo>> GetAsync([Immutable] GetLeaseRequest request, CancellationToken cancellationToken = default);

    /// <summary>Returns the grants of the resource and how each ended: the last 64 events or more, newest last.</summary>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>The stored events.</returns>
    [Alias("History")]
    Task<LeaseResult<LeaseHistory>> HistoryAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Watches the resource's stored changes, from a point of its history or from its current state on. They come in batches of at
    /// most 256. The first batch, which may be empty, comes at once: after it the caller receives every later change.
    /// </summary>
    /// <param name="since">
    /// The last change known, as an event's <see cref="WatchEvent.ResumeFrom"/>; without it the first event is the state.
    /// </param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>
    /// The events, each once and in order, or <see cref="WatchEvent.Resync"/>; a refusal, as the only batch, where the
    /// watch cannot start. The enumeration ends when the activation does, with <see cref="EnumerationAbortedException"/> where
    /// the silo died, and when the caller takes nothing for a minute: start another from the last event.
    /// </returns>
    [Alias("Watch")]
    IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(WatchPoint? since = null, CancellationToken cancellationToken = default);
}
