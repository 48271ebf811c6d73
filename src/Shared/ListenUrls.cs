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
    /// Looks at the addresses that Kestrel's own configuration names, such as <c>Kestrel__Endpoints__Http__Url</c>, which go before
    /// all others.
    /// </summary>
    /// <exception cref="FormatException">One of them is none.</exception>
    public static void Check(IConfiguration configuration)
    {
        foreach (var endpoint in configuration.GetSection("Kestrel:Endpoints").GetChildren())
            if (endpoint["Url"] is { } url && ProblemOf($"{endpoint.Path}:Url", url) is { } problem) throw new FormatException(problem);
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
