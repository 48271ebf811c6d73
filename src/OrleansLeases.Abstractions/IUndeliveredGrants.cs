namespace OrleansLeases;

/// <summary>
/// What a host's <see cref="ILeaseService"/> also implements, for the gateway in its process: it takes back a grant that was not
/// delivered. This is not a request of clients: their release would end a lease that a repeat of the acquire has received meanwhile.
/// </summary>
internal interface IUndeliveredGrants
{
    /// <summary>
    /// Ends a lease whose caller was gone before the grant was delivered, unless a repeat of its request id has received the
    /// grant since.
    /// </summary>
    /// <param name="grant">The grant; not a replayed one, which an earlier call may have delivered.</param>
    /// <returns>The release, replayed where the lease stays with the holder that has had it.</returns>
    ValueTask<LeaseResult<LeaseRelease>> GiveBackAsync(LeaseGrant grant);
}
