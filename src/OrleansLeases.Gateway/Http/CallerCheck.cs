using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Http;

/// <summary>
/// Keeps out the web pages that a reader of them has open: a browser beside the server, or within its network, calls it for
/// any page. Programs say nothing of an origin. Safe for use by several threads.
/// </summary>
internal sealed class CallerCheck
{
    private const string FetchSite = "Sec-Fetch-Site";
    private const string FetchDestination = "Sec-Fetch-Dest";

    private readonly IServer? _server;
    private readonly HashSet<string> _origins;
    private readonly IList<StringSegment> _names;
    private bool? _takesOwnNamesOnly;

    /// <param name="options">The names and origins that are taken besides the server's own.</param>
    /// <param name="server">The listening server, if the host has one.</param>
    /// <exception cref="ArgumentException">One of the names or origins is none.</exception>
    public CallerCheck(LeaseGatewayOptions options, IServer? server)
    {
        foreach (var host in options.AllowedHosts) CheckName(host);
        foreach (var origin in options.AllowedOrigins) CheckOrigin(origin);
        _server = server;
        _names = [.. options.AllowedHosts.Select(host => new StringSegment(host))];
        _origins = new(options.AllowedOrigins, StringComparer.OrdinalIgnoreCase);
        if (_names.Count > 0) _takesOwnNamesOnly = !options.AllowedHosts.Contains("*");
    }

    /// <summary>Says why a call is not for this server, or comes from a page of another.</summary>
    /// <param name="context">The call.</param>
    /// <param name="isOpenToLinks">Whether a link on such a page may lead there.</param>
    /// <returns>The reason; null where there is none.</returns>
    public Refusal.Forbidden? Refuse(HttpContext context, bool isOpenToLinks)
    {
        var request = context.Request;
        if (!IsOwnName(context))
        {
            return new Refusal.Forbidden(
                $"The header Host is '{FieldErrors.Shorten(request.Host.Value!)}', which is no name of this server. "
                + "Call it by its address or by localhost, or add the name to its AllowedHosts.");
        }

        // Browsers send the one to https and to their own machine only, the other with whatever a page posts.
        var origin = request.Headers.Origin;
        var site = request.Headers[FetchSite];
        if (site.Count == 0 && origin.Count == 0) return null;
        if (site.Count > 0 ? site.ToString() is "same-origin" or "none" : IsOwnOrigin(request, origin.ToString())) return null;
        if (origin.Count > 0 && _origins.Contains(origin.ToString())) return null;
        // A window of its own, not a frame and not a script. Decision dashboard-takes-links.
        if (isOpenToLinks && origin.Count == 0 && request.Headers[FetchDestination] == "document") return null;
        var (header, value) = site.Count > 0 ? (FetchSite, site) : ("Origin", origin);
        return OfAnotherOrigin(header, value.ToString());
    }

    /// <summary>The answer to a page of another origin.</summary>
    /// <param name="header">The header that tells of it.</param>
    /// <param name="value">What that says.</param>
    public static Refusal.Forbidden OfAnotherOrigin(string header, string value) => new(
        $"The header {header} is '{FieldErrors.Shorten(value)}': web pages of other origins cannot call this server. "
        + "Call it from a program, or add the page's origin to its AllowedOrigins.");

    // Behind a proxy that ends TLS the scheme is another; browsers send the site to that server instead.
    // Decision sec-fetch-site-before-origin.
    private static bool IsOwnOrigin(HttpRequest request, string origin) =>
        origin.Equals($"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);

    // A browser always sends one; what sends none, such as a probe in HTTP/1.0, is none.
    private bool IsOwnName(HttpContext context)
    {
        var host = context.Request.Host;
        if (!host.HasValue || !(_takesOwnNamesOnly ??= ListensOnLoopbackOnly())) return true;
        var name = host.Host;
        if (name.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return true;
        // A listener of both kinds of addresses has an IPv4 address as IPv6.
        if (IPAddress.TryParse(name, out var address)
            && (IPAddress.IsLoopback(address) || address.MapToIPv6().Equals(context.Connection.LocalIpAddress?.MapToIPv6())))
            return true;
        return HostString.MatchesAny(name, _names);
    }

    private bool ListensOnLoopbackOnly()
    {
        var urls = _server?.Features.Get<IServerAddressesFeature>()?.Addresses;
        return urls is { Count: > 0 } && urls.All(IsLoopback);
    }

    private static bool IsLoopback(string url)
    {
        var host = BindingAddress.Parse(url).Host;
        return host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));
    }

    private static void CheckName(string host)
    {
        var name = host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host;
        if (host != "*" && Uri.CheckHostName(name) == UriHostNameType.Unknown)
        {
            throw new ArgumentException(
                $"AllowedHosts has '{host}'; it takes names without a port, such as leases.example.org, *.example.org or *.");
        }
    }

    private static void CheckOrigin(string origin)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri)
            || !origin.Equals(uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase))
        {
            throw new ArgumentException(
                $"AllowedOrigins has '{origin}'; it takes origins as browsers send them, such as https://app.example.org.");
        }
    }
}
