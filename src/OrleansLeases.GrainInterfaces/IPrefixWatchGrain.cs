using Orleans.Metadata;

namespace OrleansLeases;

/// <summary>
/// One watch of all names with a prefix, for Orleans applications that call grains directly. Use a new GUID as the key of each watch;
/// the grain is deactivated after its watch has ended.
/// </summary>
[Alias("OrleansLeases.IPrefixWatchGrain"), DefaultGrainType("prefix-watch")]
public interface IPrefixWatchGrain : IGrainWithGuidKey
{
    /// <summary>
    /// Watches the stored changes of every resource and key under a prefix, of all silos, from now on. They come in batches of at most
    /// 256. The first batch, which may be empty, comes at once: after it the caller receives every later change.
    /// </summary>
    /// <param name="prefix">The prefix; empty for all names.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>
    /// The events, those of one name each once and in order; a refusal, as the only batch, where the watch cannot start,
    /// such as <see cref="Refusal.Unavailable"/> where a silo does not respond. The enumeration ends, or throws, where changes
    /// may have been missed: a silo joined or left, or the caller is too slow. Start another one then, and read the state again after that.
    /// </returns>
    [Alias("Watch")]
    IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(string prefix, CancellationToken cancellationToken = default);
}
