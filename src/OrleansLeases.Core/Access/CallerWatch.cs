using System.Runtime.CompilerServices;

namespace OrleansLeases.Core;

/// <summary>A watch as a caller may see it: every event is compared with the rights that the caller has when it comes.</summary>
internal static class CallerWatch
{
    public static LeaseWatch Of(LeaseWatch watch, LeaseCaller caller, WatchRequest request) =>
        new(FilterAsync(watch, caller, request), watch);

    private static async IAsyncEnumerable<WatchEvent> FilterAsync(
        LeaseWatch watch, LeaseCaller caller, WatchRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (var change in watch.WithCancellation(cancellationToken).ConfigureAwait(false))
        {
            var access = new CallerAccess(caller);
            // The watch ends where its start would be refused now; another start says why.
            if (access.ToWatch(request) is not null || access.Rights.Readable.Count == 0) yield break;
            if (Seen(change, access) is { } seen) yield return seen;
        }
    }

    private static WatchEvent? Seen(WatchEvent change, in CallerAccess access) => change switch
    {
        WatchEvent.LeaseSnapshot state when access.ToRead(state.Lease.Resource) is null => state with { Lease = access.Of(state.Lease) },
        WatchEvent.LeaseChanged lease when access.ToRead(lease.Lease.Resource!) is null => lease,
        WatchEvent.KeySnapshot state when access.Sees(state.Key.Key, state.Key.Lease) => state,
        WatchEvent.KeyChanged key when access.Sees(key.Key.Key, key.Key.Lease) => key,
        WatchEvent.Resync => change,
        _ => null,
    };
}
