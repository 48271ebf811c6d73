using System.Runtime.CompilerServices;
using System.Threading.Channels;
using OrleansLeases.Simulation.Time;

namespace OrleansLeases.Simulation.Network;

/// <summary>
/// Messages from one process to another, in their order, until their connection ends. What comes out of order waits, as in a connection;
/// where something is lost, the connection breaks sooner or later.
/// </summary>
internal sealed class SimStream<T>
{
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(3);

    private readonly SimNetwork _network;
    private readonly SimProcess _reader;
    private readonly Channel<T> _messages = Channel.CreateUnbounded<T>();
    private readonly SortedDictionary<long, Message> _early = [];
    private readonly ITimer _silence;
    private long _sent;
    private long _next = 1;
    private bool _isClosed;

    public SimStream(SimNetwork network, SimProcess reader)
    {
        (_network, _reader) = (network, reader);
        _silence = reader.Clock.CreateTimer(
            static stream => ((SimStream<T>)stream!).Close(), this, LongestSilence, Timeout.InfiniteTimeSpan);
    }

    private enum Kind
    {
        Item,
        Heartbeat,
        End,
    }

    /// <summary>Sends all that a source has, until that ends or the reader is gone.</summary>
    /// <param name="writer">Who sends.</param>
    /// <param name="source">What is sent.</param>
    public async Task PumpAsync(SimProcess writer, IAsyncEnumerable<T> source)
    {
        var ended = false;
        using var gone = new CancellationTokenSource();
        try
        {
            Beat();
            await foreach (var item in source.WithCancellation(gone.Token).ConfigureAwait(false)) Send(writer, new(Kind.Item, item));
            Send(writer, new(Kind.End, default));
        }
        catch (OperationCanceledException)
        {
            // Its reader is gone.
        }
        finally
        {
            ended = true;
        }

        // So that each side can tell silence from a connection that is dead.
        void Beat()
        {
            if (ended) return;
            if (_isClosed)
            {
                gone.Cancel();
                return;
            }

            Send(writer, new(Kind.Heartbeat, default));
            _network.Scheduler.After(Heartbeat, () => writer.Run(Beat));
        }
    }

    public async IAsyncEnumerable<T> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        try
        {
            await foreach (var item in _messages.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return item;
        }
        finally
        {
            Close();
        }
    }

    private void Send(SimProcess writer, Message message)
    {
        var number = ++_sent;
        _network.Send(writer.Name, _reader.Name, () => _reader, () => Take(number, message), once: true);
    }

    private void Take(long number, Message message)
    {
        _early[number] = message;
        while (_early.Remove(_next, out var next))
        {
            _next++;
            _silence.Change(LongestSilence, Timeout.InfiniteTimeSpan);
            if (next.Kind == Kind.End) Close();
            else if (next.Kind == Kind.Item) _messages.Writer.TryWrite(next.Item!);
        }
    }

    private void Close()
    {
        _silence.Dispose();
        _messages.Writer.TryComplete();
        _isClosed = true;
    }

    private readonly record struct Message(Kind Kind, T? Item);
}
