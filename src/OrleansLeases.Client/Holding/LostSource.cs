namespace OrleansLeases.Client.Holding;

/// <summary>
/// The source of a lease's lost token. The lease keeps it for as long as the handle lives, and with it whatever waits for the
/// token. Once the handle is collected, whoever has the token, or one that is linked to it, still relies on the lease: it
/// is given up when nobody does any more.
/// </summary>
internal sealed class LostSource(LeaseClient client, HeldLease lease) : CancellationTokenSource
{
    ~LostSource() => client.Abandon(lease, this);
}
