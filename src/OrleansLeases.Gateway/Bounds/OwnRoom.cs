namespace OrleansLeases.Gateway.Bounds;

/// <summary>
/// Marks an endpoint whose calls have room of their own, so that no flood of others holds them back: what holders keep and end their
/// leases with, and what others look after the server with.
/// </summary>
internal sealed class OwnRoom
{
    /// <summary>The only one.</summary>
    public static readonly OwnRoom Instance = new();

    private OwnRoom()
    {
    }
}
