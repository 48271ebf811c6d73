using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace OrleansLeases.Gateway.Http;

/// <summary>
/// Whether a call is traced is its caller's word, in the header <c>traceparent</c>. A server that asks who is calling has one, so that
/// the word of somebody without a valid credential does not count: it decides neither what is recorded and exported nor in which trace.
/// Decision traces-of-known-callers. Another application's traces are its own business.
/// </summary>
internal sealed class CallerTraces
{
    /// <summary>Takes a call out of the trace that its caller says it is of.</summary>
    /// <returns>What <see cref="Resume"/> takes; null where the call is of no such trace.</returns>
    public static Activity? Suspend(HttpContext context)
    {
        if (context.Features.Get<IHttpActivityFeature>()?.Activity is not { HasRemoteParent: true, Recorded: true } call) return null;
        // What it is made of is then not sampled either, and no exporter takes it.
        call.ActivityTraceFlags &= ~ActivityTraceFlags.Recorded;
        call.IsAllDataRequested = false;
        return call;
    }

    /// <summary>The caller is known.</summary>
    public static void Resume(Activity? call)
    {
        if (call is null) return;
        call.ActivityTraceFlags |= ActivityTraceFlags.Recorded;
        call.IsAllDataRequested = true;
    }
}
