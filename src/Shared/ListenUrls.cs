using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace OrleansLeases;

/// <summary>
/// The addresses that a server is configured to listen on. Kestrel takes what it cannot read, such as a port with a slip in it, for a
/// name, and a name for all addresses of the machine: so a server that was meant for loopback would be open to everybody.
/// </summary>
internal static class ListenUrls
{
    /// <summary>The addresses, one by one.</summary>
    /// <param name="urls">Several are separated by semicolons.</param>
    public static string[] Split(string urls) => urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>Says what is wrong with addresses.</summary>
    /// <param name="field">The setting or option that names them.</param>
    /// <param name="urls">The addresses.</param>
    /// <returns>A sentence with the field, its value and the remedy; null where nothing is wrong.</returns>
    public static string? ProblemOf(string field, string urls)
    {
        var split = Split(urls);
        if (split.Length > 0 && split.All(IsAddress)) return null;
        var wrong = split.FirstOrDefault(url => !IsAddress(url)) ?? urls;
        return $"{field} has '{wrong}'; it takes http:// or https://, then an IP address, localhost or * for all "
            + $"addresses of this machine, "
            + "then a port up to 65535, such as http://127.0.0.1:7400. Several are separated by semicolons.";
    }

    /// <summary>
    /// Looks at the addresses to listen on: those that Kestrel's own configuration names, such as <c>Kestrel__Endpoints__Http__Url</c>, go
    /// before all others.
    /// </summary>
    /// <param name="configuration">The configuration of the host.</param>
    /// <param name="urls">The addresses otherwise.</param>
    /// <param name="mayBeReached">Whether others may reach them: callers are asked who they are, or nobody minds.</param>
    /// <exception cref="FormatException">One of them is none.</exception>
    /// <exception cref="OpenToOthersException">Others would reach one of them.</exception>
    public static void Check(IConfiguration configuration, string urls, bool mayBeReached)
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren()
            .Where(endpoint => endpoint["Url"] is not null).ToArray();
        foreach (var endpoint in endpoints)
            if (ProblemOf($"{endpoint.Path}:Url", endpoint["Url"]!) is { } problem) throw new FormatException(problem);
        var all = endpoints.Length > 0 ? endpoints.Select(endpoint => endpoint["Url"]!) : Split(urls);
        if (!mayBeReached && all.FirstOrDefault(IsOpenToOthers) is { } open) throw new OpenToOthersException(open);
    }

    /// <summary>Whether more than this machine reaches an address.</summary>
    public static bool IsOpenToOthers(string url)
    {
        var rest = AfterScheme(url);
        return !rest.StartsWith("unix:/", StringComparison.Ordinal)
            && !(Uri.TryCreate(url, UriKind.Absolute, out var address)
                && (address.IsLoopback || (IPAddress.TryParse(address.Host, out var ip) && IPAddress.IsLoopback(ip))));
    }

    private static bool IsAddress(string url)
    {
        var rest = AfterScheme(url);
        if (rest.StartsWith("unix:/", StringComparison.Ordinal)) return !rest.Contains(' ');
        if (rest.EndsWith('/')) rest = rest[..^1];
        var colon = rest.LastIndexOf(':');
        return colon > 0 && IsHost(rest[..colon]) && IsPort(rest[(colon + 1)..]);
    }

    private static string AfterScheme(string url)
    {
        foreach (var scheme in (string[])["http://", "https://"])
            if (url.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return url[scheme.Length..];
        return "";
    }

    // Of the many ways to write an IPv4 address the one with four numbers: 127.1 and 0177.0.0.1 are more likely slips.
    private static bool IsHost(string host) =>
        host is "*" or "+" || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host, out var address)
            && (address.AddressFamily == AddressFamily.InterNetwork ? address.ToString() == host : host is ['[', .., ']']));

    private static bool IsPort(string port) =>
        int.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= IPEndPoint.MaxPort;
}

/// <summary>Others would reach a server that asks nobody who is calling.</summary>
internal sealed class OpenToOthersException(string url) : Exception(
    $"Others reach {url}, and could take, break and release every lease: this server asks nobody who is calling. "
    + "Name the rules of who may do what (--access FILE for leases, Access for leases-silo), listen on loopback, or, on a network that you "
    + "trust, say so (--insecure, Insecure).");
