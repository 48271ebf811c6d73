namespace OrleansLeases.Gateway.Http;

/// <summary>
/// Marks an endpoint that takes calls without a credential of the gateway's. What the host requires of its endpoints holds for it too.
/// Its calls have room of their own.
/// </summary>
internal sealed class OpenToAll
{
    /// <summary>The only one.</summary>
    public static readonly OpenToAll Instance = new();

    private OpenToAll()
    {
    }
}
