namespace OrleansLeases;

/// <summary>
/// The events of a watch, as they come. Enumerate it once, from one place at a time, or dispose of it. It ends when the
/// enumeration is cancelled or the service shuts down. A consumer that falls too far behind is told
/// <see cref="WatchEvent.Resync"/>: nothing is buffered without bound, and nobody waits for it.
/// </summary>
/// <param name="events">The events.</param>
/// <param name="source">What they come from; disposed of with the watch. An enumeration that ends has no more need of it.</param>
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
