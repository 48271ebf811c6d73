using Orleans.Metadata;

namespace OrleansLeases;

/// <summary>
/// The leases of one resource, for Orleans applications that call grains directly. Get it with
/// <see cref="LeaseGrainFactoryExtensions.GetLease"/>. Safe for concurrent use.
/// </summary>
/// <remarks>
/// <para>The methods are those of <see cref="ILeaseService"/>, with the same answers: a refusal is a value. An exception
/// comes from Orleans alone, such as a <see cref="TimeoutException"/>, and leaves the outcome unknown: repeat the call
/// with its request id, a renewal or release as it is.</para>
/// <para>Every request names the resource of this grain; another name is refused as
/// <see cref="Refusal.InvalidRequest"/>.</para>
/// <para>Within a silo neither requests nor answers are copied. Leave the metadata of a request unchanged once it is
/// sent.</para>
/// <para>A cancelled token abandons the answer, not the change; an acquire that waits leaves the queue.</para>
/// </remarks>
[Alias("OrleansLeases.ILeaseGrain"), DefaultGrainType("lease")]
public interface ILeaseGrain : IGrainWithStringKey
{
    /// <summary>
    /// Grants the resource, or says who has it. Applies once for a request id: name one in every request, since a
    /// call that timed out can only be repeated with it.
    /// </summary>
    /// <param name="request">What is asked for. With <see cref="AcquireRequest.Wait"/> the call waits in the queue.</param>
    /// <param name="cancellationToken">
    /// Leaves the queue, and abandons the answer. A grant that was on its way then stays, untold, until its time to live is
    /// over, unless the request is repeated by its id; <see cref="ILeaseService"/> gives it back.
    /// </param>
    /// <returns>
    /// The grant, or <see cref="Refusal.Held"/>, <see cref="Refusal.Conflict"/>, <see cref="Refusal.NotHolder"/>
    /// (a replayed grant that has ended), <see cref="Refusal.LimitReached"/> or a service-wide refusal.
    /// </returns>
    /// <exception cref="OperationCanceledException">The token was cancelled; a grant may have been made all the same.</exception>
    // A wait takes up to 25 s of it; what remains is for a save, and for a silo's place being taken over.
    [Alias("Acquire"), ResponseTimeout("00:01:00")]
    Task<LeaseResult<LeaseGrant>> AcquireAsync([Immutable] AcquireRequest request, CancellationToken cancellationToken = default);

    /// <summary>Extends a lease by its time to live from now. Never moves its deadline earlier.</summary>
    /// <param name="request">Which lease, named by resource, owner and token.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the renewal may happen all the same.</param>
    /// <returns>The renewal, or <see cref="Refusal.NotHolder"/> with the reason.</returns>
    [Alias("Renew")]
    Task<LeaseResult<LeaseRenewal>> RenewAsync([Immutable] RenewRequest request, CancellationToken cancellationToken = default);

    /// <summary>Ends a lease at its holder's word. A repeat is answered as replayed while the history tells of it.</summary>
    /// <param name="request">Which lease, named by resource, owner and token.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the release may happen all the same.</param>
    /// <returns>The release, or <see cref="Refusal.NotHolder"/> with the reason.</returns>
    [Alias("Release")]
    Task<LeaseResult<LeaseRelease>> ReleaseAsync([Immutable] ReleaseRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Hands a lease to a new owner ahead of the queue: same place and mode, full time to live, a new token.
    /// Applies once for a request id.
    /// </summary>
    /// <param name="request">Which lease, and to whom.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the transfer may happen all the same.</param>
    /// <returns>
    /// The new owner's grant, or <see cref="Refusal.NotHolder"/>; <see cref="Refusal.Held"/> where the new owner
    /// holds the resource already; <see cref="Refusal.Conflict"/> where the lease is being broken.
    /// </returns>
    [Alias("Transfer")]
    Task<LeaseResult<LeaseGrant>> TransferAsync([Immutable] TransferRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends a lease against its holder's will. Without force it ends no earlier than the deadline its holder was
    /// told; with force only fencing protects the resource. Applies once for a request id.
    /// </summary>
    /// <param name="request">Which lease, when and why.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the break may happen all the same.</param>
    /// <returns>When the lease ends, or <see cref="Refusal.NotHolder"/>.</returns>
    [Alias("Break")]
    Task<LeaseResult<LeaseBreak>> BreakAsync([Immutable] BreakRequest request, CancellationToken cancellationToken = default);

    /// <summary>Tells who holds the resource. A name never used is free, with last token 0.</summary>
    /// <param name="request">Which resource, and whether to check the stored version first.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>The state of the resource.</returns>
    [Alias("Get")]
    Task<LeaseResult<LeaseInfo>> GetAsync([Immutable] GetLeaseRequest request, CancellationToken cancellationToken = default);

    /// <summary>Tells who held the resource, from when, and why it ended: the last 64 events or more, newest last.</summary>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>The stored events.</returns>
    [Alias("History")]
    Task<LeaseResult<LeaseHistory>> HistoryAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Tells of the resource's stored changes, from a place in its history or from its present state, and then as they
    /// come. They come in portions, the first at once, so that the caller knows that the watch has begun; it may be empty.
    /// </summary>
    /// <param name="since">
    /// The last change known, as an event's <see cref="WatchEvent.ResumeFrom"/>; without it the first event is the state.
    /// </param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>
    /// The events, each once and in order, or <see cref="WatchEvent.Resync"/>; a refusal, the only portion then, where the
    /// watch cannot begin. The enumeration ends where the activation does, with <see cref="EnumerationAbortedException"/>
    /// if it ends unheard, and so does that of a caller who takes nothing for a minute: begin another from the last event.
    /// </returns>
    [Alias("Watch")]
    IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(WatchPoint? since = null, CancellationToken cancellationToken = default);
}
