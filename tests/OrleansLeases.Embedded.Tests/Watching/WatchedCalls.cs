using static OrleansLeases.Embedded.Tests.Hosting.Calls;

namespace OrleansLeases.Embedded.Tests.Watching;

/// <summary>Starts watches and reads them with bounded waiting.</summary>
internal static class WatchedCalls
{
    public static async Task<IAsyncEnumerator<WatchEvent>> WatchAsync(
        this ILeaseService leases, string? resource = null, string? key = null, string? prefix = null, WatchPoint? since = null) =>
        (await leases.WatchAsync(
            new WatchRequest { Resource = resource, Key = key, Prefix = prefix, Since = since })).Value.GetAsyncEnumerator();

    public static async Task<WatchEvent> NextAsync(this IAsyncEnumerator<WatchEvent> events)
    {
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(WaitTimeout), "The watch ended.");
        return events.Current;
    }

    /// <summary>The next event, as a word and a number.</summary>
    public static async Task<(string Name, long? Sequence)> NextWordAsync(this IAsyncEnumerator<WatchEvent> events)
    {
        var told = await events.NextAsync();
        return (told.Name, told switch
        {
            WatchEvent.LeaseSnapshot state => state.Lease.Sequence,
            WatchEvent.LeaseChanged changed => changed.Lease.Sequence,
            WatchEvent.KeySnapshot state => state.Key.Version,
            WatchEvent.KeyChanged changed => changed.Key.Version,
            _ => null,
        });
    }
}
