using Microsoft.AspNetCore.Http;

namespace OrleansLeases.Fencing.AspNetCore;

/// <summary>
/// The lease of a request that has passed the fence. An endpoint gets it as a parameter, or as a feature of its
/// <see cref="HttpContext"/>, for its own writes by <c>LeaseFence.RunAsync</c>. Immutable.
/// </summary>
/// <param name="Resource">The resource.</param>
/// <param name="Token">The token of the lease.</param>
public sealed record FencedRequest(string Resource, long Token)
{
    /// <summary>The header with the token: <c>Fencing-Token: 33</c>.</summary>
    public const string Header = "Fencing-Token";

    /// <summary>Binds it for an endpoint that has it as a parameter.</summary>
    /// <param name="context">The request.</param>
    /// <returns>The lease of the request.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is null.</exception>
    /// <exception cref="InvalidOperationException">The endpoint does not require a lease.</exception>
    public static ValueTask<FencedRequest> BindAsync(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return ValueTask.FromResult(context.Features.Get<FencedRequest>() ?? throw new InvalidOperationException(
            $"{context.GetEndpoint()?.DisplayName} takes a {nameof(FencedRequest)} and requires no lease. Add {nameof(
                LeaseFenceExtensions.RequireLease)} to it."));
    }
}
