namespace OrleansLeases;

/// <summary>
/// What a host's <see cref="ILeaseService"/> does besides for the gateway in its process: it takes back a grant that nobody has heard
/// of. It is no request of a client's, which would end by it a lease that a repeat of its acquire has been granted meanwhile.
/// </summary>
internal interface IUndeliveredGrants
{
    /// <summary>
    /// Ends a lease whose caller was gone before the grant was delivered, unless a repeat of its request id has been answered with the
    /// grant since.
    /// </summary>
    /// <param name="grant">The grant; not a replayed one, which an earlier call may have delivered.</param>
    /// <returns>The release, replayed where the lease stays with the holder that has had it.</returns>
    ValueTask<LeaseResult<LeaseRelease>> GiveBackAsync(LeaseGrant grant);
}
