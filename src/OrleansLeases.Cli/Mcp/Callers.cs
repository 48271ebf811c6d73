using System.Security.Claims;

namespace OrleansLeases.Cli.Mcp;

/// <summary>Who calls.</summary>
internal static class Callers
{
    /// <summary>Everybody, to a service that asks nobody who is calling.</summary>
    public const string Anonymous = "anonymous";
}

/// <summary>The caller of one call over HTTP.</summary>
/// <param name="identity">Its principal.</param>
/// <param name="gone">Cancelled when its connection is gone: the protocol does not tell a tool, and nobody would hear its answer.</param>
internal sealed class Caller(ClaimsIdentity identity, CancellationToken gone) : ClaimsPrincipal(identity)
{
    /// <summary>Cancelled when nobody hears the answer any more.</summary>
    public CancellationToken Gone => gone;
}
