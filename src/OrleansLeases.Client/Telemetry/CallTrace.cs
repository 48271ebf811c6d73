using System.Diagnostics;
using System.Text.Json;

namespace OrleansLeases.Client.Telemetry;

/// <summary>Traces the calls of a client. Their requests carry the trace to the server, as all of <see cref="HttpClient"/>'s do.</summary>
internal static class CallTrace
{
    private const string AsyncSuffix = "Async";

    /// <summary>Runs a call within a span.</summary>
    /// <param name="method">The method that makes it, which names the span.</param>
    /// <param name="run">Makes it.</param>
    public static async ValueTask<LeaseResult<T>> RunAsync<T>(string method, Func<ValueTask<LeaseResult<T>>> run)
        where T : class
    {
        using var span = LeaseTracing.Source.StartActivity(NameOf(method), ActivityKind.Client);
        try
        {
            var result = await run().ConfigureAwait(false);
            span.Answered(
                result.Refusal is { } refusal ? RefusalConverter.WordOf(refusal.Code) : "ok",
                result.Refusal is Refusal.OutcomeUnknown or Refusal.Unavailable);
            return result;
        }
        catch (Exception error)
        {
            span.Answered(error is OperationCanceledException ? "cancelled" : "error", error is not OperationCanceledException);
            throw;
        }
    }

    private static string NameOf(string method) => "leases.client." + JsonNamingPolicy.KebabCaseLower.ConvertName(
        method.EndsWith(AsyncSuffix, StringComparison.Ordinal) ? method[..^AsyncSuffix.Length] : method);
}
