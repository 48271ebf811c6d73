using System.Diagnostics;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// A span on its way to a grain. Orleans' own propagation has a filter for every call of the application, and takes the interfaces of
/// these grains for its own, by the beginning of their namespace. Decision traces-travel-in-the-request-context.
/// </summary>
internal static class CarriedTrace
{
    // As W3C and Orleans' propagation call them, so that the two understand each other.
    private const string Parent = "traceparent";
    private const string State = "tracestate";

    /// <summary>Has the grain calls of this flow carry a span.</summary>
    public static void Set(Activity span)
    {
        RequestContext.Set(Parent, span.Id!);
        if (span.TraceStateString is { } state) RequestContext.Set(State, state);
    }

    /// <summary>What the call came with that is being processed; the default where it came with nothing.</summary>
    public static ActivityContext Get() =>
        RequestContext.Get(Parent) is string parent
            && ActivityContext.TryParse(parent, RequestContext.Get(State) as string, isRemote: true, out var carried)
            ? carried
            : default;
}
