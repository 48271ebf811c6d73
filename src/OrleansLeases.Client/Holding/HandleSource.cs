namespace OrleansLeases.Client.Holding;

/// <summary>
/// A source of signals about a lease, which keeps the lease's handle: whoever has its token, or one that is linked to it, still
/// relies on the lease. What signals through it refers to it weakly. So nothing of the client keeps a handle that the
/// application has let go.
/// </summary>
internal sealed class HandleSource(LeaseHandle handle) : CancellationTokenSource
{
    public LeaseHandle Handle { get; } = handle;
}
