using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Http;

/// <summary>The header with a request id.</summary>
internal static class IdempotencyKey
{
    private const string Header = "Idempotency-Key";

    /// <summary>Reads the header.</summary>
    /// <returns>The request id, or null where there is none or it is of no use.</returns>
    public static string? Read(HttpContext context, ref FieldErrors errors)
    {
        if (!context.Request.Headers.TryGetValue(Header, out var values)) return null;
        if (values.Count == 1 && values[0] is { } value && value.AsSpan().IndexOfAnyExceptInRange(' ', '~') < 0) return value;
        errors.Add("requestId", values.Count > 1
            ? $"is given more than once in the header {Header}"
            : $"takes visible ASCII in the header {Header}; give any other id in the body");
        return null;
    }
}
