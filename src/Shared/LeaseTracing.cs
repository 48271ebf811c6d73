using System.Diagnostics;
using System.Reflection;

namespace OrleansLeases;

/// <summary>The spans of these libraries. Where nobody listens none is made, and nothing is allocated.</summary>
internal static class LeaseTracing
{
    /// <summary>The source of all of them.</summary>
    public const string SourceName = "OrleansLeases";

    // One for each assembly; who listens to one listens to all, by the name.
    public static readonly ActivitySource Source = new(
        SourceName,
        typeof(LeaseTracing).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]);

    /// <summary>
    /// Whether anybody listens. Not within a trace that was not sampled: there to begin a span costs, and comes to nothing.
    /// </summary>
    public static bool IsOn => Source.HasListeners() && Activity.Current is not { IsAllDataRequested: false };

    /// <summary>Starts a span that is current nowhere: it belongs to a call, and calls of others go on here.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="parent">What it is part of.</param>
    /// <returns>The span; null where nobody wants it.</returns>
    public static Activity? StartDetached(string name, ActivityContext parent)
    {
        var current = Activity.Current;
        var span = Source.StartActivity(name, ActivityKind.Internal, parent);
        Activity.Current = current;
        return span;
    }

    /// <summary>
    /// Starts the span of what is done for several callers together: part of the first one's trace, linked to the others'. It is current,
    /// so that what a driver or a connection adds is part of it. Decision batches-belong-to-their-first-caller.
    /// </summary>
    /// <returns>The span; null where no caller is traced.</returns>
    public static Activity? StartTogether<TItem>(string name, List<TItem> items, Func<TItem, Activity?> callerOf)
    {
        if (!IsOn) return null;
        ActivityContext[] callers = [.. items.Select(callerOf).OfType<Activity>().Select(caller => caller.Context)];
        return callers.Length == 0 ? null : Source.StartActivity(
            ActivityKind.Internal, callers[0], [new("leases.batch.size", items.Count)],
            callers.Skip(1).Select(caller => new ActivityLink(caller)), startTime: default, name);
    }

    /// <summary>Notes what became of a call.</summary>
    public static void Answered(this Activity? span, string outcome, bool isFault)
    {
        if (span is null) return;
        span.SetTag("leases.outcome", outcome);
        if (isFault) span.SetStatus(ActivityStatusCode.Error);
    }
}
