using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Http;

/// <summary>
/// The path as it was sent. The server decodes it in part (not <c>%2F</c>, so that <c>%2F</c> and <c>%252F</c> become
/// one) and takes out dot segments, so that a name with <c>..</c> would become another resource.
/// </summary>
internal static class RawPath
{
    private const string BadSegment = "has an empty, '.' or '..' segment";

    /// <summary>
    /// Whether the fixed part of the path was sent as the contract writes it: routing takes it in any case, percent-encoded,
    /// and with dot segments in between, past the rules of a proxy in front.
    /// </summary>
    public static bool IsExact(HttpContext context) => TryMatch(context, out _);

    /// <summary>Reads the name that the last part of the route, such as <c>{**resource}</c>, took.</summary>
    /// <param name="context">The call.</param>
    /// <param name="field">What the route calls it.</param>
    /// <param name="errors">Takes what is wrong with the name.</param>
    /// <returns>The name, or null where it has no meaning. Its bounds are the service's business.</returns>
    public static string? ReadName(HttpContext context, string field, ref FieldErrors errors)
    {
        if (!TryMatch(context, out var encoded) || encoded.IsEmpty)
            errors.Add(field, "is required");
        else if (PercentEncoding.TryDecode(encoded, plusIsSpace: false, out var name, out var problem))
            return name;
        else
            errors.Add(field, problem);
        return null;
    }

    /// <summary>
    /// Makes sure that a path led nowhere by itself, and not because its name is empty or had dot segments, which the server took out.
    /// </summary>
    public static void RequireName(HttpContext context, ref FieldErrors errors)
    {
        if (!PercentEncoding.TryDecode(Of(context), plusIsSpace: false, out var path, out _)) return;
        if (!path.Split('/').Any(static segment => Names.IsDots(segment))
            && !path.EndsWith("/v1/leases/", StringComparison.Ordinal)
            && !path.EndsWith("/v1/keys/", StringComparison.Ordinal))
        {
            return;
        }

        var isKey = path.Contains("/v1/keys", StringComparison.Ordinal) || path.Contains("/v1/counters", StringComparison.Ordinal);
        errors.Add(isKey ? "key" : "resource", BadSegment);
    }

    // Compares what was sent with the endpoint's route, segment by segment.
    private static bool TryMatch(HttpContext context, out ReadOnlySpan<char> name)
    {
        name = default;
        if (context.GetEndpoint() is not RouteEndpoint endpoint) return false;
        var rest = Of(context);
        // A proxy that strips a prefix and forwards it in a header puts it into the path base, but not into the request line.
        var pathBase = context.Request.PathBase.ToUriComponent();
        if (rest.StartsWith(pathBase, StringComparison.Ordinal)) rest = rest[pathBase.Length..];
        foreach (var segment in endpoint.RoutePattern.PathSegments)
        {
            if (!rest.StartsWith('/') && !rest.IsEmpty) return false;
            if (segment.Parts[0] is RoutePatternParameterPart { IsCatchAll: true })
            {
                name = rest.IsEmpty ? rest : rest[1..];
                return true;
            }

            if (rest.IsEmpty) return false;
            var length = rest[1..].IndexOf('/');
            var sent = length < 0 ? rest[1..] : rest.Slice(1, length);
            if (segment.Parts is [RoutePatternLiteralPart literal] && !sent.SequenceEqual(literal.Content)) return false;
            rest = rest[(sent.Length + 1)..];
        }

        return rest.IsEmpty || (rest is "/" && endpoint.RoutePattern.RawText is [.., '/']);
    }

    /// <summary>The path, without the query.</summary>
    public static ReadOnlySpan<char> Of(HttpContext context)
    {
        ReadOnlySpan<char> target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var query = target.IndexOf('?');
        if (query >= 0) target = target[..query];
        if (target.StartsWith('/')) return target;

        // The absolute form, http://host/path, is what a proxy is sent; a server has to take it too.
        var authority = target.IndexOf("://", StringComparison.Ordinal);
        if (authority < 0) return target;
        target = target[(authority + 3)..];
        var slash = target.IndexOf('/');
        return slash < 0 ? "/" : target[slash..];
    }
}
