using System.Diagnostics.Metrics;

namespace OrleansLeases.Core;

/// <summary>What the watches of one process count. Thread-safe.</summary>
internal sealed class WatchMetrics
{
    private readonly Counter<long> _resyncs;
    private long _readers;

    public WatchMetrics(Meter meter)
    {
        meter.CreateObservableUpDownCounter(
            "leases.watch.watchers", () => Interlocked.Read(ref _readers), "{watch}", "Watches that are being read.");
        _resyncs = meter.CreateCounter<long>(
            "leases.watch.resyncs", "{event}", "Watches that may have missed a change and began again with the state.");
    }

    public void Begun() => Interlocked.Increment(ref _readers);

    public void Ended() => Interlocked.Decrement(ref _readers);

    public void Resynced() => _resyncs.Count(1);
}
