using System.Runtime.CompilerServices;
using System.Threading.Channels;
using OrleansLeases.Simulation.Hosts;

namespace OrleansLeases.Simulation.Network;

internal sealed partial class RemoteService
{
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(3);

    public async ValueTask<LeaseResult<LeaseWatch>> WatchAsync(WatchRequest request, CancellationToken cancellationToken = default)
    {
        var opened = await OpenAsync(request, cancellationToken).ConfigureAwait(false);
        return opened.TryGetValue(out var stream, out var refusal)
            ? new LeaseWatch(FollowAsync(request, stream, CancellationToken.None))
            : refusal;
    }

    // As the watch over HTTP does: where the connection broke another goes on, from the last event.
    private async IAsyncEnumerable<WatchEvent> FollowAsync(
        WatchRequest request, LeaseWatch stream, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            await foreach (var change in stream.WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                if (request.Prefix is null) request = request with { Since = change.ResumeFrom ?? request.Since };
                yield return change;
            }

            LeaseWatch? next;
            do
            {
                await Task.Delay(RetryAfter, process.Clock, cancellationToken).ConfigureAwait(false);
            }
            while (!(await OpenAsync(request, cancellationToken).ConfigureAwait(false)).TryGetValue(out next, out _));
            stream = next;
            if (request.Prefix is not null) yield return WatchEvent.Resync.Instance;
        }
    }

    // One stream of events, in their order, which ends where its connection does.
    public ValueTask<LeaseResult<LeaseWatch>> OpenAsync(WatchRequest request, CancellationToken cancellationToken)
    {
        var stream = new Stream(this);
        var place = _place;
        return CallAsync<LeaseWatch>(
            "watch",
            async (service, stop) =>
            {
                var opened = await service.WatchAsync(request, stop).ConfigureAwait(false);
                if (!opened.TryGetValue(out var watch, out var refusal)) return refusal;
                _ = PumpAsync(cluster.Hosts[place]!, Cluster.PlaceName(place), watch, stream);
                return new LeaseWatch(stream.ReadAsync(CancellationToken.None));
            },
            cancellationToken, isChange: false, once: true);
    }

    private async Task PumpAsync(SimHost host, string server, LeaseWatch watch, Stream stream)
    {
        var ended = false;
        using var gone = new CancellationTokenSource();
        try
        {
            Beat();
            await foreach (var change in watch.WithCancellation(gone.Token).ConfigureAwait(false)) Send(change);
            Send(null);
        }
        catch (OperationCanceledException)
        {
            // Its reader is gone.
        }
        finally
        {
            ended = true;
            watch.Dispose();
        }

        void Send(WatchEvent? change)
        {
            var number = ++stream.Sent;
            cluster.Network.Send(server, Name, () => process, () => stream.Take(number, change), once: true);
        }

        // So that each side can tell silence from a connection that is dead.
        void Beat()
        {
            if (ended) return;
            if (stream.IsClosed)
            {
                gone.Cancel();
                return;
            }

            Send(WatchEvent.Resync.Instance with { ResumeFrom = Stream.OfHeartbeat });
            _scheduler.After(Heartbeat, () => host.Process.Run(Beat));
        }
    }

    // What comes out of order waits, as in a connection; where something is lost, the connection breaks sooner or later.
    private sealed class Stream
    {
        /// <summary>Marks an event that is none.</summary>
        public static readonly WatchPoint OfHeartbeat = new(long.MinValue, long.MinValue);

        private readonly Channel<WatchEvent> _events = Channel.CreateUnbounded<WatchEvent>();
        private readonly SortedDictionary<long, WatchEvent?> _early = [];
        private readonly ITimer _silence;
        private long _next = 1;

        public Stream(RemoteService service) => _silence = service.Timer(Close, LongestSilence);

        public long Sent { get; set; }

        public bool IsClosed { get; private set; }

        public void Take(long number, WatchEvent? change)
        {
            _early[number] = change;
            while (_early.Remove(_next, out var next))
            {
                _next++;
                _silence.Change(LongestSilence, Timeout.InfiniteTimeSpan);
                if (next is null) Close();
                else if (next.ResumeFrom != OfHeartbeat) _events.Writer.TryWrite(next);
            }
        }

        public async IAsyncEnumerable<WatchEvent> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            try
            {
                await foreach (var change in _events.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false)) yield return change;
            }
            finally
            {
                Close();
            }
        }

        private void Close()
        {
            _silence.Dispose();
            _events.Writer.TryComplete();
            IsClosed = true;
        }
    }

    private ITimer Timer(Action callback, TimeSpan due) =>
        process.Clock.CreateTimer(static run => ((Action)run!)(), callback, due, Timeout.InfiniteTimeSpan);
}
