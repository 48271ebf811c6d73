using System.Net;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Serving;

/// <summary>What <c>leases serve</c> says once it listens. Scripts wait for its first line.</summary>
internal static class ServeBanner
{
    public static void Print(ICollection<string> urls, string? folder, int? mostConnections, TextWriter results, Action<string> note)
    {
        var url = urls.First();
        var server = url == ServerConnection.DefaultAddress ? "" : $" --server {TerminalText.Quote(url)}";
        results.WriteLine($"Listening on {string.Join(", ", urls)}");
        results.WriteLine(
            folder is null ? "Leases are kept in memory: nothing survives a restart." : $"Leases are kept in {Path.GetFullPath(folder)}");
        if (mostConnections is { } most) results.WriteLine($"At most {most} connections are taken at once, by the limit of open files.");
        results.WriteLine(
            $$"""

            Try it, in another terminal:
              leases run jobs/nightly{{server}} -- sleep 20
              leases get jobs/nightly{{server}}
              leases acquire jobs/nightly --owner me --ttl 30s --wait 1m{{server}}
            or with curl:
              curl {{url}}/v1/leases/acquire -H 'content-type: application/json' -d '{"resource":"jobs/weekly","owner":"me","ttlMs":30000}'
              curl {{url}}/v1/leases/jobs/weekly

            Ctrl-C stops it.
            """);
        results.Flush();

        if (urls.FirstOrDefault(IsOpenToOthers) is { } open)
            note($"Whoever can reach {open} can take, break and release every lease: this server does not ask who is calling.");
    }

    private static bool IsOpenToOthers(string url) =>
        !Uri.TryCreate(url, UriKind.Absolute, out var address)
            || !(address.IsLoopback || (IPAddress.TryParse(address.Host, out var ip) && IPAddress.IsLoopback(ip)));
}
