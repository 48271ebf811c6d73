using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

/// <summary><c>leases list --watch</c>: the list, then a lease whenever it changes.</summary>
internal static class ListWatch
{
    public static async Task<int> RunAsync(
        ServerConnection server, ListLeasesRequest request, Output output, CancellationToken cancellationToken)
    {
        server.WatchConnected = output.NoteConnection;
        // The watch comes first: what changes after the listing is told by it.
        var started = await server.Service.WatchAsync(new WatchRequest { Prefix = request.Prefix ?? "" }, cancellationToken);
        if (!started.TryGetValue(out var watch, out var refusal)) return output.Refuse(refusal, server.Hint);
        var rows = LeasePrinter.ListOf(output.IsWide);
        if (await ListAsync() is { } refused) return output.Refuse(refused, server.Hint);
        await foreach (var change in watch.WithCancellation(cancellationToken))
        {
            refusal = change switch
            {
                // Changes may have been missed.
                WatchEvent.Resync => await ListAsync(),
                WatchEvent.LeaseChanged { Lease: { Resource: { } resource } lease } => await TellAsync(resource, lease.Owner),
                _ => null,
            };
            // Without an answer the watch will say what comes of it.
            if (refusal is not (null or Refusal.Unavailable)) return output.Refuse(refusal, server.Hint);
        }

        return ExitCode.Done;

        async Task<Refusal?> ListAsync()
        {
            for (var page = request; ; )
            {
                var listed = await server.Service.ListAsync(page, cancellationToken);
                if (!listed.TryGetValue(out var found, out var unlisted)) return unlisted;
                foreach (var lease in found.Leases) Print(lease);
                if (found.Next is not { } next) return null;
                page = page with { After = next };
            }
        }

        async Task<Refusal?> TellAsync(string resource, string owner)
        {
            var now = await server.Service.GetAsync(new GetLeaseRequest { Resource = resource }, cancellationToken);
            if (!now.TryGetValue(out var lease, out var unread)) return unread;
            if (request.Owner is not { } wanted || owner == wanted || lease.Holders.Any(holder => holder.Owner == wanted)) Print(lease);
            return null;
        }

        void Print(LeaseInfo lease) => output.Print(
            lease, LeaseJson.Default.LeaseInfo,
            (info, writer) =>
            {
                LeasePrinter.AddTo(rows, info, output.IsWide);
                rows.WriteTo(writer);
            },
            info => [info.Resource]);
    }
}
