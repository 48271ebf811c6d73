using System.Collections.Concurrent;
using System.Diagnostics;

namespace OrleansLeases.Testing.Telemetry;

/// <summary>
/// Listens to the spans of one trace, which it begins itself. Whoever listens has every other test of the process traced as well: tests
/// that listen are in a collection of their own.
/// </summary>
public sealed class Spans : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    /// <summary>Listens, and begins the trace.</summary>
    /// <param name="sources">Whose spans it wants beside those of leases.</param>
    public Spans(params string[] sources)
    {
        _listener = new()
        {
            ShouldListenTo = source => source.Name == "OrleansLeases" || sources.Contains(source.Name),
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = span =>
            {
                if (span.TraceId == Root.TraceId) _ended.Enqueue(span);
            },
        };
        Root.SetIdFormat(ActivityIdFormat.W3C).Start();
        Root.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>The span that the test itself is, which is current until disposed of.</summary>
    public Activity Root { get; } = new("test");

    /// <summary>The spans of the trace that have ended.</summary>
    public IReadOnlyList<Activity> Ended => [.. _ended];

    /// <summary>Where a span is in the trace: the names from the root on.</summary>
    /// <param name="name">Its name; the first one of that name.</param>
    /// <returns>Such as <c>test/leases.acquire/leases.keeper</c>; a parent that nobody has seen is <c>?</c>.</returns>
    public string PathOf(string name) => PathOf(_ended.First(span => span.OperationName == name));

    /// <inheritdoc/>
    public void Dispose()
    {
        _listener.Dispose();
        Root.Dispose();
    }

    private string PathOf(Activity span)
    {
        if (span.ParentSpanId == Root.SpanId) return $"test/{span.OperationName}";
        var parent = _ended.FirstOrDefault(other => other.SpanId == span.ParentSpanId);
        return $"{(parent is null ? "?" : PathOf(parent))}/{span.OperationName}";
    }
}
