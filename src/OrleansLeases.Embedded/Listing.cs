using OrleansLeases.Core;

namespace OrleansLeases.Embedded;

/// <summary>Pages through stored records.</summary>
internal static class Listing
{
    // A page that finds little among many records ends early with a place to go on from, so that no call is long.
    private const int ReadAtMost = 20_000;

    public static LeasePage Read(IEmbeddedStore store, ListLeasesRequest request, KeeperHost host, CancellationToken cancellationToken)
    {
        var prefix = request.Prefix ?? "";
        var after = request.After;
        var from = after is not null && Utf8Order.Compare(after, prefix) > 0 ? after : prefix;
        var now = host.Clock.Read();
        var leases = new List<LeaseInfo>();
        string? next = null;
        var read = 0;
        foreach (var (resource, state) in store.ReadFrom(from))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (resource == after) continue;
            if (!resource.StartsWith(prefix, StringComparison.Ordinal)) break;
            if (leases.Count == request.PageSize || read == ReadAtMost)
            {
                next = leases.Count == request.PageSize ? leases[^1].Resource : next;
                return Page(leases, next, now);
            }

            read++;
            next = resource;
            if (Matches(state, request)) leases.Add(LeaseViews.Stored(resource, state, now, host.Rules));
        }

        return Page(leases, null, now);
    }

    private static LeasePage Page(List<LeaseInfo> leases, string? next, Now now) =>
        new() { Leases = leases, Next = next, AsOf = DateTimeOffset.UnixEpoch + now.Late };

    private static bool Matches(LeaseState state, ListLeasesRequest request)
    {
        if (request.Owner is { } owner && !state.Holders.Any(holder => holder.Owner == owner)) return false;
        return request.State switch
        {
            LeaseFilter.Held => !state.Holders.IsEmpty,
            LeaseFilter.Free => state.Holders.IsEmpty,
            _ => true,
        };
    }
}
