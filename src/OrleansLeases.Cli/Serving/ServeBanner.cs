using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Serving;

/// <summary>What <c>leases serve</c> says once it listens. Scripts wait for its first line.</summary>
internal static class ServeBanner
{
    public static void Print(
        ICollection<string> urls, ServeSettings settings, string bounds, TextWriter results, Action<string> note)
    {
        var url = urls.First();
        var server = url == ServerConnection.DefaultAddress ? "" : $" --server {TerminalText.Quote(url)}";
        results.WriteLine($"Listening on {string.Join(", ", urls)}");
        results.WriteLine(
            settings.Folder is { } folder
                ? $"Leases are kept in {Path.GetFullPath(folder)}" : "Leases are kept in memory: nothing survives a restart.");
        if (settings.AccessFile is { } access)
            results.WriteLine($"Every caller needs a credential; {Path.GetFullPath(access)} says who may do what.");
        if (settings.AuditFile is { } audit) results.WriteLine($"Changes and refusals are recorded in {Path.GetFullPath(audit)}");
        results.WriteLine($"At most {bounds} are taken at once.");
        results.WriteLine(
            $$"""

            Try it, in another terminal:
              leases run jobs/nightly{{server}} -- sleep 20
              leases get jobs/nightly{{server}}
              leases acquire jobs/nightly --owner me --ttl 30s --wait 1m{{server}}
            or with curl:
              curl {{url}}/v1/leases/acquire -H 'content-type: application/json' -d '{"resource":"jobs/weekly","owner":"me","ttlMs":30000}'
              curl {{url}}/v1/leases/jobs/weekly
            or open {{url}} in a browser.

            Ctrl-C stops it.
            """);
        results.Flush();

        if (settings.AccessFile is null && urls.FirstOrDefault(ListenUrls.IsOpenToOthers) is { } open)
            note($"Whoever can reach {open} can take, break and release every lease: this server does not ask who is calling.");
        if (settings.AccessFile is not null && urls.FirstOrDefault(IsReadByOthers) is { } clear)
            note($"Credentials travel to {clear} unencrypted, for all to read on the way: use https, with --cert and --key.");
    }

    private static bool IsReadByOthers(string url) =>
        ListenUrls.IsOpenToOthers(url) && url.StartsWith("http:", StringComparison.OrdinalIgnoreCase);
}
