using Microsoft.AspNetCore.Http;

namespace OrleansLeases.Gateway.Http;

/// <summary>Finds out who calls, and gives the call the service as that caller sees it. Thread-safe.</summary>
internal sealed class Authentication
{
    private readonly Func<HttpContext, ValueTask<LeaseResult<LeaseCaller>>> _authenticate;
    private readonly ICallerScopes _scopes;

    /// <param name="authenticate">See <see cref="LeaseGatewayOptions.Authenticate"/>.</param>
    /// <param name="leases">The service.</param>
    /// <exception cref="InvalidOperationException">The service cannot check rights.</exception>
    public Authentication(Func<HttpContext, ValueTask<LeaseResult<LeaseCaller>>> authenticate, ILeaseService leases)
    {
        _authenticate = authenticate;
        _scopes = leases as ICallerScopes ?? throw new InvalidOperationException(
            $"{leases.GetType().Name} does not check the rights of callers (ICallerScopes), so Authenticate would protect nothing. "
            + "Map the gateway over the embedded engine or the Orleans host.");
    }

    /// <summary>Says why a call is not taken; otherwise its features have the caller and the service for it.</summary>
    public async ValueTask<Refusal?> RefuseAsync(HttpContext context)
    {
        var answer = await _authenticate(context);
        if (!answer.TryGetValue(out var caller, out var refusal))
        {
            // RFC 9110 has every 401 say how to do better.
            if (refusal is Refusal.Unauthorized) context.Response.Headers.WWWAuthenticate = "Bearer";
            return refusal;
        }

        context.Features.Set(caller);
        context.Features.Set(_scopes.For(caller));
        return null;
    }
}
