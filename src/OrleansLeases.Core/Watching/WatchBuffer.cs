using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace OrleansLeases.Core;

/// <summary>
/// Events on their way to one reader: a buffer that is cut off rather than allowed to grow. Thread-safe; one reader.
/// </summary>
/// <param name="ended">Called once, when nothing more goes in.</param>
internal sealed class WatchBuffer(Action? ended = null) : IDisposable
{
    // Enough for what a batch of a store's writes brings at once, several times over.
    private const int Capacity = 4_096;

    // A large value takes the room of several events, so that a full buffer is 32 MiB at the very most.
    private const int CharsPerEvent = 4_096;

    private readonly Channel<WatchEvent> _events = Channel.CreateUnbounded<WatchEvent>(new UnboundedChannelOptions { SingleReader = true });
    private int _room = Capacity;

    /// <summary>Puts an event in; where there is no room for it, the buffer is cut off.</summary>
    /// <param name="change">The event.</param>
    /// <returns>Whether it went in.</returns>
    public bool Offer(WatchEvent change)
    {
        ArgumentNullException.ThrowIfNull(change);
        if (Interlocked.Add(ref _room, -RoomOf(change)) >= 0 && _events.Writer.TryWrite(change)) return true;
        CutOff();
        return false;
    }

    /// <summary>Lets nothing more in: the reader comes to the end once it has read what is here.</summary>
    public void CutOff()
    {
        if (_events.Writer.TryComplete()) ended?.Invoke();
    }

    /// <summary>Takes the events out; a reader that stops taking them has cut the buffer off.</summary>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The events, until the buffer was cut off.</returns>
    public async IAsyncEnumerable<WatchEvent> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach (var change in _events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                Interlocked.Add(ref _room, RoomOf(change));
                yield return change;
            }
        }
        finally
        {
            CutOff();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => CutOff();

    private static int RoomOf(WatchEvent change) =>
        1 + (change is WatchEvent.KeyChanged { Key.Value: { } value } ? value.Length / CharsPerEvent : 0);
}
