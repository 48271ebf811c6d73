namespace OrleansLeases.Client.Holding;

/// <summary>
/// The source of a lease's lost token. The lease keeps it for as long as the handle lives, and with it whatever waits for the
/// token. Once the handle is collected, code that has the token, or one that is linked to it, still relies on the lease: the
/// lease is given up when no such code is left.
/// </summary>
internal sealed class LostSource(LeaseClient client, HeldLease lease) : CancellationTokenSource
{
    ~LostSource() => client.Abandon(lease, this);
}
