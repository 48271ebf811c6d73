using Microsoft.AspNetCore.Http;

namespace OrleansLeases.Gateway;

/// <summary>
/// Whom the gateway accepts: hosts, web origins and callers. Read once, by <see cref="LeaseGatewayExtensions.MapLeases"/>.
/// </summary>
public sealed class LeaseGatewayOptions
{
    /// <summary>
    /// The names under which the server may be called, without a port: <c>leases.example.org</c>, <c>*.example.org</c> for those
    /// below a name, <c>*</c> for all. Besides them it takes <c>localhost</c> and its own addresses. Where there are none, which
    /// is the default, a server that listens on loopback alone takes no other name, and one that others reach takes all.
    /// </summary>
    public IList<string> AllowedHosts { get; } = [];

    /// <summary>
    /// The origins, besides the server's own, whose web pages may call it, as browsers send them:
    /// <c>https://app.example.org</c>. None by default. Preflight requests are answered by the CORS of ASP.NET Core.
    /// </summary>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>
    /// Finds out who calls, for every endpoint but those of health: the caller, or the refusal that answers the call. It is called by
    /// several threads, and what it throws is a failure of the server. Null, the default, lets everybody do everything whom the host lets
    /// call: what the application requires of the endpoints, such as by <c>RequireAuthorization</c>, comes first, and the
    /// <see cref="HttpContext.User"/> it found is there.
    /// </summary>
    /// <remarks>The <see cref="ILeaseService"/> must then be an <see cref="ICallerScopes"/>, which checks the caller's rights.</remarks>
    public Func<HttpContext, ValueTask<LeaseResult<LeaseCaller>>>? Authenticate { get; set; }
}
