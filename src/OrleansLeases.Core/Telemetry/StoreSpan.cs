using System.Diagnostics;
using OrleansLeases.Storage;

namespace OrleansLeases.Core;

/// <summary>One use of the store by a keeper: counted, and traced where its call is. The default is neither.</summary>
internal readonly struct StoreSpan
{
    private readonly StoreMetrics? _metrics;
    private readonly Activity? _span;
    private readonly long _start;

    private StoreSpan(StoreMetrics? metrics, Activity? span) =>
        (_metrics, _span, _start) = (metrics, span, metrics?.Start() ?? 0);

    /// <summary>Starts; a span is current until the end, so that what the store does is part of it.</summary>
    public static StoreSpan Start(KeeperMetrics? metrics, Activity? call, string operation) => new(
        metrics?.Store,
        call is null ? null : LeaseTracing.Source.StartActivity($"leases.store.{operation}", ActivityKind.Internal, call.Context));

    public void Loaded(bool failed)
    {
        _metrics?.Loaded(_start, failed);
        End(failed ? "failed" : Tags.Ok, failed);
    }

    public void Saved(SaveOutcome outcome)
    {
        _metrics?.Saved(_start, outcome);
        End(StoreMetrics.WordOf(outcome), outcome is SaveOutcome.NotSaved or SaveOutcome.Unknown);
    }

    public void AddedOrLoaded(SaveOutcome outcome)
    {
        _metrics?.AddedOrLoaded(_start, outcome);
        End(StoreMetrics.WordOf(outcome), outcome is SaveOutcome.NotSaved or SaveOutcome.Unknown);
    }

    public void Dropped(SaveOutcome outcome)
    {
        _metrics?.Dropped(_start, outcome);
        End(StoreMetrics.WordOf(outcome), outcome is SaveOutcome.NotSaved or SaveOutcome.Unknown);
    }

    private void End(string outcome, bool isFault)
    {
        _span.Answered(outcome, isFault);
        _span?.Dispose();
    }
}
