namespace OrleansLeases;

/// <summary>
/// The events of a watch, as they come. Enumerate it once, or dispose of it; the enumerator is not thread-safe, disposing is. It
/// ends when the enumeration is cancelled or the service shuts down. A slow consumer loses events and receives
/// <see cref="WatchEvent.Resync"/> instead: the buffer is bounded, and no writer waits for a consumer.
/// </summary>
/// <param name="events">The events.</param>
/// <param name="source">Disposed of with the watch; null where nothing is to be. An enumeration that ended no longer needs it.</param>
public sealed class LeaseWatch(IAsyncEnumerable<WatchEvent> events, IDisposable? source = null)
    : IAsyncEnumerable<WatchEvent>, IDisposable, IAsyncDisposable
{
    private int _taken;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">It has been enumerated already, or disposed of.</exception>
    public IAsyncEnumerator<WatchEvent> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        Interlocked.Exchange(ref _taken, 1) == 0
            ? events.GetAsyncEnumerator(cancellationToken)
            : throw new InvalidOperationException("A watch is enumerated once; start another.");

    /// <inheritdoc/>
    public void Dispose()
    {
        _taken = 1;
        source?.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Dispose();
        return default;
    }
}
