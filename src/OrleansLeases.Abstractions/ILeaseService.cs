namespace OrleansLeases;

/// <summary>
/// A lease service: it grants ownership of a named resource for a limited time and numbers every grant
/// with a fencing token. The embedded engine, the HTTP client and the Orleans host all implement it.
/// </summary>
/// <remarks>
/// <para>A refusal is a value (<see cref="Refusal"/>), never an exception; an exception means a defect or a
/// disposed service. Every implementation is safe for concurrent use.</para>
/// <para>Only durations cross this interface. A holder counts its deadline as its own send time plus
/// <c>Elapsed</c> plus <c>Remaining</c>, less a margin for the rate error of its clock.</para>
/// </remarks>
public interface ILeaseService
{
    /// <summary>
    /// Grants the resource, or refuses and names its holders. Applied once for a request id: a repeat receives the same
    /// grant while the lease lasts, and <see cref="Refusal.NotHolder"/> once it has ended.
    /// </summary>
    /// <param name="request">The request. With a <see cref="AcquireRequest.Wait"/> the call waits in the queue.</param>
    /// <param name="cancellationToken">
    /// Ends the call at once and suspends the waiter: it is passed over from then on, and leaves the queue after 5 s unless the
    /// request id is repeated. A grant that the caller no longer receives is released, unless a repeat received it.
    /// </param>
    /// <returns>
    /// The grant, or <see cref="Refusal.Held"/>, <see cref="Refusal.Conflict"/>, <see cref="Refusal.NotHolder"/>
    /// (a replayed grant that has ended), <see cref="Refusal.LimitReached"/> or a service-wide refusal.
    /// </returns>
    /// <exception cref="OperationCanceledException">
    /// The token was cancelled before there was a response. A response that is there already is returned instead.
    /// </exception>
    ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default);

    /// <summary>Extends a lease by its time to live from now. Never moves its deadline earlier.</summary>
    /// <param name="request">Which lease, named by resource, owner and token.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the renewal may still happen.</param>
    /// <returns>The renewal, or <see cref="Refusal.NotHolder"/> with the reason.</returns>
    ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default);

    /// <summary>Renews up to <see cref="LeaseLimits.MaxBatch"/> leases, each on its own.</summary>
    /// <param name="request">The leases to renew.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the renewals may still happen.</param>
    /// <returns>One result for each lease, in the order of the request.</returns>
    ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(RenewBatchRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Makes up to <see cref="LeaseLimits.MaxBatch"/> calls in one request, each on its own. Those of one name take effect in the order
    /// of the request, all others in no promised order.
    /// </summary>
    /// <param name="request">The calls. An acquire among them must not wait.</param>
    /// <param name="cancellationToken">
    /// Ends the wait for the response. Calls that have begun may still happen; what is granted is given back, as by
    /// <see cref="AcquireAsync"/>.
    /// </param>
    /// <returns>
    /// One result for each call, in the order of the request. A call without a response after 2 s is
    /// <see cref="Refusal.OutcomeUnknown"/>, or <see cref="Refusal.Unavailable"/> where it changes nothing.
    /// </returns>
    /// <exception cref="OperationCanceledException">The token was cancelled before every call had its response.</exception>
    ValueTask<LeaseResult<BatchReply>> BatchAsync(BatchRequest request, CancellationToken cancellationToken = default);

    /// <summary>Releases a lease. A repeat gets the response of the first, marked as replayed, while the history has the release.</summary>
    /// <param name="request">Which lease, named by resource, owner and token.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the release may still happen.</param>
    /// <returns>The release, or <see cref="Refusal.NotHolder"/> with the reason.</returns>
    ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default);

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
    ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends a lease against its holder's will. Without force the lease ends no earlier than the last deadline that its holder
    /// received; with force only fencing protects the resource. Applied once for a request id.
    /// </summary>
    /// <param name="request">The lease, its notice and the reason.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the break may still happen.</param>
    /// <returns>When the lease ends at the latest, or <see cref="Refusal.NotHolder"/>.</returns>
    ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default);

    /// <summary>Returns the holders of a resource. A name never used is free, with last token 0.</summary>
    /// <param name="request">The resource, and whether to compare with the store first.</param>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>The state of the resource.</returns>
    ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default);

    /// <summary>Lists resources in the byte order of their names, read from stored records.</summary>
    /// <param name="request">The filter, the page size and where the page starts.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <returns>One page. The <c>Remaining</c> of its holders is an upper bound.</returns>
    ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default);

    /// <summary>Returns the grants of a resource and how each ended: the last 64 events or more, newest last.</summary>
    /// <param name="resource">The resource's name.</param>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>The stored events.</returns>
    ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default);

    /// <summary>
    /// Writes a key, bound to a lease or free-standing. A bound key exists only while its lease is in force: it is absent
    /// for every call from the moment the lease ends. Applied once for a request id.
    /// </summary>
    /// <param name="key">The key's name: as a resource's.</param>
    /// <param name="request">The value, and the lease to bind the key to.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the write may still happen.</param>
    /// <returns>
    /// The version written, or <see cref="Refusal.NotHolder"/> where the lease named is not in force,
    /// <see cref="Refusal.Conflict"/> (another version, or a request id used before with other content),
    /// <see cref="Refusal.LimitReached"/> (keys of the lease) or a service-wide refusal.
    /// </returns>
    ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default);

    /// <summary>Reads a key.</summary>
    /// <param name="key">The key's name.</param>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>
    /// The key; <see cref="Refusal.NotFound"/>, or <see cref="Refusal.Unavailable"/> where its lease did not respond in time.
    /// </returns>
    ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>Deletes a key, whatever it is bound to. A repeat finds nothing to delete.</summary>
    /// <param name="key">The key's name.</param>
    /// <param name="ifVersion">Deletes only this version of the key; any version where left out.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the delete may still happen.</param>
    /// <returns>Whether the key existed, or <see cref="Refusal.Conflict"/> where it has another version.</returns>
    ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(string key, long? ifVersion = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Adds to a key whose value is a decimal 64-bit integer; an absent key counts as 0. Applied once for a request id.
    /// </summary>
    /// <param name="key">The key's name.</param>
    /// <param name="request">The delta, and the lease to bind the key to.</param>
    /// <param name="cancellationToken">Ends the wait for the response; the addition may still happen.</param>
    /// <returns>
    /// The sum, or <see cref="Refusal.Conflict"/> where the value is no integer or the sum would overflow, or a refusal
    /// of a put.
    /// </returns>
    ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken = default);

    /// <summary>Lists keys in the byte order of their names. A key whose lease has ended is not among them.</summary>
    /// <param name="request">The prefix, the page size and where the page starts.</param>
    /// <param name="cancellationToken">Ends the listing.</param>
    /// <returns>One page, or <see cref="Refusal.Unavailable"/> where a lease did not respond in time.</returns>
    ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Watches a resource, a key, or all names with a prefix. The watch has every change whose own response is sent after the
    /// response to this call.
    /// </summary>
    /// <param name="request">The name or prefix, and the change to start after.</param>
    /// <param name="cancellationToken">Ends the start of the watch; a started watch ends with its enumeration.</param>
    /// <returns>The watch, started, or <see cref="Refusal.Unavailable"/> where a key's lease did not respond in time.</returns>
    ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default);

    /// <summary>Describes the service and its limits. Refused with <see cref="Refusal.Unavailable"/> while it is not ready.</summary>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>Version, engine, durability, epoch, grace and limits.</returns>
    ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Asks each process of the service how it is: its health, how far its clock is off, how much it has. For operators; it calls every
    /// silo of a cluster. Where callers have rights it takes the right <c>admin</c>.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait for the response.</param>
    /// <returns>The members; or <see cref="Refusal.Unavailable"/> from a service that does not tell.</returns>
    ValueTask<LeaseResult<MemberList>> ListMembersAsync(CancellationToken cancellationToken = default) =>
        new(new Refusal.Unavailable(TimeSpan.Zero, "This service does not tell what it consists of."));
}
