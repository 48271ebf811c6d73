using System.Runtime.CompilerServices;
using OrleansLeases.Simulation.Hosts;

namespace OrleansLeases.Simulation.Network;

internal sealed partial class RemoteService
{
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

    // One stream of events, which ends where its connection does.
    public ValueTask<LeaseResult<LeaseWatch>> OpenAsync(WatchRequest request, CancellationToken cancellationToken)
    {
        var stream = new SimStream<WatchEvent>(cluster.Network, process);
        var place = _place;
        return CallAsync<LeaseWatch>(
            "watch",
            async (service, stop) =>
            {
                var opened = await service.WatchAsync(request, stop).ConfigureAwait(false);
                if (!opened.TryGetValue(out var watch, out var refusal)) return refusal;
                _ = PumpAsync(cluster.Hosts[place]!, watch, stream);
                return new LeaseWatch(stream.ReadAsync(CancellationToken.None));
            },
            cancellationToken, isChange: false, once: true);
    }

    private static async Task PumpAsync(SimHost host, LeaseWatch watch, SimStream<WatchEvent> stream)
    {
        await stream.PumpAsync(host.Process, watch).ConfigureAwait(false);
        watch.Dispose();
    }
}
