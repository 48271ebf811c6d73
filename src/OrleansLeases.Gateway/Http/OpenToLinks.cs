namespace OrleansLeases.Gateway.Http;

/// <summary>
/// Marks an endpoint that a link on a page of another origin may lead to. It says nothing that is not for all, and no page can frame it.
/// </summary>
internal sealed class OpenToLinks
{
    /// <summary>The only one.</summary>
    public static readonly OpenToLinks Instance = new();

    private OpenToLinks()
    {
    }
}
