using System.Net;
using Microsoft.AspNetCore.Http;

namespace OrleansLeases.Silo;

/// <summary>Where a gateway is to listen.</summary>
internal static class HttpEndpoints
{
    /// <summary>The ports that its addresses name.</summary>
    /// <param name="urls">The addresses, as Kestrel takes them.</param>
    /// <returns>Each with its port; none for what has no port, or one that the system chooses.</returns>
    public static IEnumerable<(string Url, IPEndPoint Endpoint)> Of(string urls)
    {
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var address = BindingAddress.Parse(url);
            if (address.IsUnixPipe || address.IsNamedPipe || address.Port == 0) continue;
            // A name that is neither an address nor localhost means any address to Kestrel.
            var host = IPAddress.TryParse(address.Host, out var named) ? named
                : address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
                : IPAddress.Any;
            yield return (url, new IPEndPoint(host, address.Port));
        }
    }
}
