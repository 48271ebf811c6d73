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
    /// Grants the resource, or says who has it. Applies once for a request id: a repeat is answered with the same
    /// grant while that lasts, and with <see cref="Refusal.NotHolder"/> once it has ended.
    /// </summary>
    /// <param name="request">What is asked for. With <see cref="AcquireRequest.Wait"/> the call waits in the queue.</param>
    /// <param name="cancellationToken">
    /// Ends the call at once, and leaves the queue: the place is passed over from then on and lost after 5 s, unless the same
    /// request id returns. What is granted behind it is given back, unless a repeat of the request id has been answered with it.
    /// </param>
    /// <returns>
    /// The grant, or <see cref="Refusal.Held"/>, <see cref="Refusal.Conflict"/>, <see cref="Refusal.NotHolder"/>
    /// (a replayed grant that has ended), <see cref="Refusal.LimitReached"/> or a service-wide refusal.
    /// </returns>
    /// <exception cref="OperationCanceledException">
    /// The token was cancelled before there was an answer. An answer that is there already is returned instead.
    /// </exception>
    ValueTask<LeaseResult<LeaseGrant>> AcquireAsync(AcquireRequest request, CancellationToken cancellationToken = default);

    /// <summary>Extends a lease by its time to live from now. Never moves its deadline earlier.</summary>
    /// <param name="request">Which lease, named by resource, owner and token.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the renewal may happen all the same.</param>
    /// <returns>The renewal, or <see cref="Refusal.NotHolder"/> with the reason.</returns>
    ValueTask<LeaseResult<LeaseRenewal>> RenewAsync(RenewRequest request, CancellationToken cancellationToken = default);

    /// <summary>Renews up to <see cref="LeaseLimits.MaxBatch"/> leases, each on its own, answered in order.</summary>
    /// <param name="request">The leases to renew.</param>
    /// <param name="cancellationToken">Gives up waiting for the answers.</param>
    /// <returns>One result for each lease, in the order asked.</returns>
    ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(RenewBatchRequest request, CancellationToken cancellationToken = default);

    /// <summary>Ends a lease at its holder's word. A repeat is answered as replayed while the history tells of it.</summary>
    /// <param name="request">Which lease, named by resource, owner and token.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the release may happen all the same.</param>
    /// <returns>The release, or <see cref="Refusal.NotHolder"/> with the reason.</returns>
    ValueTask<LeaseResult<LeaseRelease>> ReleaseAsync(ReleaseRequest request, CancellationToken cancellationToken = default);

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
    ValueTask<LeaseResult<LeaseGrant>> TransferAsync(TransferRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends a lease against its holder's will. Without force it ends no earlier than the deadline its holder was
    /// told; with force only fencing protects the resource. Applies once for a request id.
    /// </summary>
    /// <param name="request">Which lease, when and why.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the break may happen all the same.</param>
    /// <returns>When the lease ends at the latest, or <see cref="Refusal.NotHolder"/>.</returns>
    ValueTask<LeaseResult<LeaseBreak>> BreakAsync(BreakRequest request, CancellationToken cancellationToken = default);

    /// <summary>Tells who holds a resource. A name never used is free, with last token 0.</summary>
    /// <param name="request">Which resource, and whether to check the stored version first.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>The state of the resource.</returns>
    ValueTask<LeaseResult<LeaseInfo>> GetAsync(GetLeaseRequest request, CancellationToken cancellationToken = default);

    /// <summary>Lists resources in the byte order of their names, read from stored records.</summary>
    /// <param name="request">Which resources, and where to go on.</param>
    /// <param name="cancellationToken">Gives up the listing.</param>
    /// <returns>One page; a page's <c>Remaining</c> is an upper bound.</returns>
    ValueTask<LeaseResult<LeasePage>> ListAsync(ListLeasesRequest request, CancellationToken cancellationToken = default);

    /// <summary>Tells who held a resource, from when, and why it ended: the last 64 events or more, newest last.</summary>
    /// <param name="resource">The resource's name.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>The stored events.</returns>
    ValueTask<LeaseResult<LeaseHistory>> HistoryAsync(string resource, CancellationToken cancellationToken = default);

    /// <summary>
    /// Writes a key, bound to a lease or free-standing. A bound key is there only while its lease is: it is absent for
    /// every call from the moment the lease ends. Applies once for a request id.
    /// </summary>
    /// <param name="key">The key's name: as a resource's.</param>
    /// <param name="request">The value, and what the key is bound to.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the write may happen all the same.</param>
    /// <returns>
    /// The version written, or <see cref="Refusal.NotHolder"/> where the lease named is not in force,
    /// <see cref="Refusal.Conflict"/> (another version, or a request id used before with other content),
    /// <see cref="Refusal.LimitReached"/> (keys of the lease) or a service-wide refusal.
    /// </returns>
    ValueTask<LeaseResult<KeyPut>> PutKeyAsync(string key, PutKeyRequest request, CancellationToken cancellationToken = default);

    /// <summary>Reads a key.</summary>
    /// <param name="key">The key's name.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>
    /// The key; <see cref="Refusal.NotFound"/>, or <see cref="Refusal.Unavailable"/> where its lease could not be asked in time.
    /// </returns>
    ValueTask<LeaseResult<KeyValue>> GetKeyAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>Deletes a key, whatever it is bound to. A repeat finds nothing to delete.</summary>
    /// <param name="key">The key's name.</param>
    /// <param name="ifVersion">Delete only this version; without it, whatever is there.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the delete may happen all the same.</param>
    /// <returns>Whether there was such a key, or <see cref="Refusal.Conflict"/> where it has another version.</returns>
    ValueTask<LeaseResult<KeyDeletion>> DeleteKeyAsync(string key, long? ifVersion = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Adds to a key whose value is a decimal 64-bit integer; an absent key counts as 0. Applies once for a request id.
    /// </summary>
    /// <param name="key">The key's name.</param>
    /// <param name="request">How much, and what the key is bound to.</param>
    /// <param name="cancellationToken">Gives up waiting for the answer; the addition may happen all the same.</param>
    /// <returns>
    /// The sum, or <see cref="Refusal.Conflict"/> where the value is no integer or the sum would overflow, and otherwise
    /// what a put may refuse.
    /// </returns>
    ValueTask<LeaseResult<CounterValue>> AddToCounterAsync(
        string key, AddToCounterRequest request, CancellationToken cancellationToken = default);

    /// <summary>Lists keys in the byte order of their names. A key whose lease has ended is not among them.</summary>
    /// <param name="request">Which keys, and where to go on.</param>
    /// <param name="cancellationToken">Gives up the listing.</param>
    /// <returns>One page, or <see cref="Refusal.Unavailable"/> where a lease could not be asked in time.</returns>
    ValueTask<LeaseResult<KeyPage>> ListKeysAsync(ListKeysRequest request, CancellationToken cancellationToken = default);

    /// <summary>
    /// Follows what happens to a resource, to a key, or to all names with a prefix. It tells of every change whose answer
    /// is given after this one's.
    /// </summary>
    /// <param name="request">What to watch, and where to start.</param>
    /// <param name="cancellationToken">Gives up the start of the watch; the watch itself ends with its enumeration.</param>
    /// <returns>The watch, started, or <see cref="Refusal.Unavailable"/> where a key's lease could not be asked in time.</returns>
    ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default);

    /// <summary>Tells what this service is and what it promises; <see cref="Refusal.Unavailable"/> while it is not ready.</summary>
    /// <param name="cancellationToken">Gives up waiting for the answer.</param>
    /// <returns>Version, engine, durability, epoch, grace and limits.</returns>
    ValueTask<LeaseResult<ServiceInfo>> InfoAsync(CancellationToken cancellationToken = default);
}
