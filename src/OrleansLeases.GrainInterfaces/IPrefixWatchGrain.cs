using Orleans.Metadata;

namespace OrleansLeases;

/// <summary>
/// One watch of all names with a prefix, for Orleans applications that call grains directly. Each watch takes a key of its
/// own, such as a new GUID; the grain goes when its watch is over.
/// </summary>
[Alias("OrleansLeases.IPrefixWatchGrain"), DefaultGrainType("prefix-watch")]
public interface IPrefixWatchGrain : IGrainWithGuidKey
{
    /// <summary>
    /// Tells of the stored changes of every resource and key under a prefix as they come, wherever in the cluster they are
    /// made. They come in portions, the first at once, so that the caller knows that the watch has begun; it may be empty.
    /// </summary>
    /// <param name="prefix">The prefix; empty for all names.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <returns>
    /// The events, those of one name each once and in order; a refusal, the only portion then, where the watch cannot begin,
    /// such as <see cref="Refusal.Unavailable"/> where a silo does not answer. The enumeration ends, or throws, where changes
    /// may have been missed: a silo came or went, or the caller is too slow. Begin another then, and look afresh after that.
    /// </returns>
    [Alias("Watch")]
    IAsyncEnumerable<LeaseResult<WatchEvent[]>> WatchAsync(string prefix, CancellationToken cancellationToken = default);
}
