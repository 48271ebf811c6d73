using System.Net;
using System.Net.Security;
using Microsoft.AspNetCore.Http;

namespace OrleansLeases.Silo;

/// <summary>Asks the gateway on this machine whether it is ready: a container's health check, where there is no curl.</summary>
internal static class HealthProbe
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Asks once.</summary>
    /// <param name="settings">The settings that the gateway was started with.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>0 where it is ready; 1 where it is not or does not answer.</returns>
    /// <exception cref="SettingsException">None of its addresses can be reached.</exception>
    public static async Task<int> RunAsync(SiloSettings settings, CancellationToken cancellationToken)
    {
        var ready = new Uri(AddressOf(settings.Urls), "/health/ready");
        // It asks itself, through no proxy; any certificate will do, since none need name this machine.
        using var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null,
            },
        };
        using var client = new HttpClient(handler) { Timeout = ProbeTimeout };
        try
        {
            using var answer = await client.GetAsync(ready, cancellationToken);
            Console.WriteLine(await answer.Content.ReadAsStringAsync(cancellationToken));
            return answer.IsSuccessStatusCode ? 0 : 1;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException
            && !cancellationToken.IsCancellationRequested)
        {
            Console.Error.WriteLine($"leases-silo: {ready} does not answer: {error.Message}");
            return 1;
        }
    }

    /// <summary>Where a listener can be reached from its own machine.</summary>
    /// <param name="urls">Where it listens, as Kestrel takes it.</param>
    /// <returns>The first address that can be reached.</returns>
    /// <exception cref="SettingsException">There is none.</exception>
    internal static Uri AddressOf(string urls)
    {
        foreach (var url in urls.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var address = BindingAddress.Parse(url);
            // A port that the system chose, or a socket in the file system.
            if (address.IsUnixPipe || address.IsNamedPipe || address.Port == 0) continue;
            return new UriBuilder(address.Scheme, HostOf(address.Host), address.Port).Uri;
        }

        throw new SettingsException($"Urls is '{urls}'; a health check needs one with a host and a port.");
    }

    // A name that is neither an address nor localhost means any address to Kestrel.
    private static string HostOf(string host)
    {
        if (!IPAddress.TryParse(host, out var address))
        {
            return host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? host : "127.0.0.1";
        }

        return address.Equals(IPAddress.Any) ? "127.0.0.1" : address.Equals(IPAddress.IPv6Any) ? "[::1]" : host;
    }
}
