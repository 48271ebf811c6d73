using Microsoft.AspNetCore.Http;

namespace OrleansLeases.Gateway;

/// <summary>
/// Whom the gateway accepts, hosts, web origins and callers, and how much at once. Read once, by
/// <see cref="LeaseGatewayExtensions.MapLeases"/>.
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

    /// <summary>
    /// How many requests may be open at once, those that wait or watch among them. Further ones are refused with 429 and the limit
    /// <c>openRequests</c>. Renewals, releases, deletes of keys and metrics have room of their own, for four times as many; what takes no
    /// credential, such as health, has another, for as many.
    /// </summary>
    /// <value>Null, the default, takes one for each 64 KiB of memory that the process may use; 1 or more.</value>
    public int? MaxOpenRequests { get; set; }

    /// <summary>How many of them may be acquires that wait; the limit is <c>openWaits</c>.</summary>
    /// <value>Null, the default, takes half of <see cref="MaxOpenRequests"/>; 1 or more.</value>
    public int? MaxOpenWaits { get; set; }

    /// <summary>How many of them may be watches; the limit is <c>openWatches</c>.</summary>
    /// <value>Null, the default, takes a quarter of <see cref="MaxOpenRequests"/>; 1 or more.</value>
    public int? MaxOpenWatches { get; set; }

    /// <summary>
    /// How much of the memory that the process may use may be used, in percent. While it is more, everything is refused that has no room
    /// of its own (<see cref="MaxOpenRequests"/>), with 429 and the limit <c>memory</c>.
    /// </summary>
    /// <value>85 by default; 1 to 100, where 100 refuses nothing.</value>
    public int MaxMemoryPercent { get; set; } = 85;

    /// <exception cref="ArgumentException">A bound is out of its own bounds.</exception>
    internal void CheckBounds()
    {
        foreach (var (name, value) in new[]
            { (nameof(MaxOpenRequests), MaxOpenRequests), (nameof(MaxOpenWaits), MaxOpenWaits), (nameof(MaxOpenWatches), MaxOpenWatches) })
            if (value < 1) throw new ArgumentException($"{name} is {value}; it takes 1 or more.");
        if (MaxMemoryPercent is < 1 or > 100)
            throw new ArgumentException($"{nameof(MaxMemoryPercent)} is {MaxMemoryPercent}; it takes 1 to 100.");
    }
}
