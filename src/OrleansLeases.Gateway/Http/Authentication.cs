using System.Net;
using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.Audit;

namespace OrleansLeases.Gateway.Http;

/// <summary>Finds out who calls, and gives the call the service as that caller sees it. Thread-safe.</summary>
internal sealed class Authentication
{
    // Where nobody is asked who is calling, and what is done is recorded all the same.
    private static readonly LeaseCaller Anonymous = MakeAnonymous();

    private readonly Func<HttpContext, ValueTask<LeaseResult<LeaseCaller>>> _authenticate;
    private readonly ICallerScopes _scopes;
    private readonly AuditLog _audit;

    /// <param name="authenticate">See <see cref="LeaseGatewayOptions.Authenticate"/>; null lets everybody do everything.</param>
    /// <param name="leases">The service.</param>
    /// <param name="audit">Where what callers do is recorded.</param>
    /// <exception cref="InvalidOperationException">The service cannot check rights.</exception>
    public Authentication(Func<HttpContext, ValueTask<LeaseResult<LeaseCaller>>>? authenticate, ILeaseService leases, AuditLog audit)
    {
        (_authenticate, _audit) = (authenticate ?? (_ => new(Anonymous)), audit);
        _scopes = leases as ICallerScopes ?? throw new InvalidOperationException(
            $"{leases.GetType().Name} does not check the rights of callers (ICallerScopes), so Authenticate would protect nothing, and an "
            + "audit would record nothing. Map the gateway over the embedded engine or the Orleans host.");
    }

    /// <summary>Says why a call is not taken; otherwise its features have the caller and the service for it.</summary>
    public async ValueTask<Refusal?> RefuseAsync(HttpContext context)
    {
        var answer = await _authenticate(context);
        if (!answer.TryGetValue(out var caller, out var refusal))
        {
            // RFC 9110 has every 401 say how to do better.
            if (refusal is Refusal.Unauthorized) context.Response.Headers.WWWAuthenticate = "Bearer";
            if (refusal is Refusal.Unauthorized or Refusal.Forbidden) _audit.Refused(context, refusal);
            return refusal;
        }

        var scope = ScopeOf(caller, context.Connection.RemoteIpAddress);
        context.Features.Set(scope.Caller);
        context.Features.Set(scope.Leases);
        return null;
    }

    // A credential that is used again mostly comes from where it came from before.
    private Scope ScopeOf(LeaseCaller caller, IPAddress? address)
    {
        if (caller.Scope is Scope known && known.Of == this && Equals(known.Address, address)) return known;
        var followed = _audit.Follow(caller, address);
        var scope = new Scope(this, address, followed, _scopes.For(followed));
        caller.Scope = scope;
        return scope;
    }

    private static LeaseCaller MakeAnonymous()
    {
        const LeaseRights All = LeaseRights.Read | LeaseRights.Hold | LeaseRights.Break | LeaseRights.Keys | LeaseRights.Admin;
        var rights = new AccessRights("anonymous", [new() { Prefix = "", Rights = All, Owners = ["*"] }]);
        return new LeaseCaller("anonymous", () => rights) { HasOwnRequestIds = false };
    }

    /// <summary>A caller from an address, and the service as it sees it.</summary>
    private sealed record Scope(Authentication Of, IPAddress? Address, LeaseCaller Caller, ILeaseService Leases);
}
