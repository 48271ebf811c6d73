using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Http;

/// <summary>
/// The path as it was sent. The server decodes it in part (not <c>%2F</c>, so that <c>%2F</c> and <c>%252F</c> become
/// one) and takes out dot segments, so that a name with <c>..</c> would become another resource.
/// </summary>
internal static class RawPath
{
    private const string BadSegment = "has an empty, '.' or '..' segment";

    /// <summary>Reads the name that the last part of the route, such as <c>{**resource}</c>, took.</summary>
    /// <param name="context">The call.</param>
    /// <param name="field">What the route calls it.</param>
    /// <param name="errors">Takes what is wrong with the name.</param>
    /// <returns>The name, or null where it has no meaning. Its bounds are the service's business.</returns>
    public static string? ReadName(HttpContext context, string field, ref FieldErrors errors)
    {
        if (!PercentEncoding.TryDecode(PathOf(context), plusIsSpace: false, out var path, out var problem))
        {
            errors.Add(field, problem);
            return null;
        }

        // What routing took says where the name starts; what was sent there says what the name is.
        var request = context.Request;
        var taken = (request.RouteValues[field] as string)?.Length ?? 0;
        var prefix = request.PathBase.Value + request.Path.Value?[..^taken];
        if (path.StartsWith(prefix, StringComparison.Ordinal) && prefix.EndsWith('/')) return path[prefix.Length..];
        errors.Add(field, prefix.EndsWith('/') ? BadSegment : "is required");
        return null;
    }

    /// <summary>Makes sure that a path without a name was sent as such, and is not what dot segments left over of one.</summary>
    public static void RequireNoName(HttpContext context, string field, ref FieldErrors errors)
    {
        var request = context.Request;
        var expected = request.PathBase.Value + request.Path.Value;
        if (!PercentEncoding.TryDecode(PathOf(context), plusIsSpace: false, out var path, out _) || path != expected || path.EndsWith('/'))
            errors.Add(field, BadSegment);
    }

    /// <summary>Makes sure that a path led nowhere by itself, and not because dot segments of a name were taken out of it.</summary>
    public static void RequireNoDotSegments(HttpContext context, ref FieldErrors errors)
    {
        if (PercentEncoding.TryDecode(PathOf(context), plusIsSpace: false, out var path, out _) && path.Split('/').Any(IsDots))
            errors.Add(path.Contains("/v1/keys", StringComparison.Ordinal) || path.Contains("/v1/counters", StringComparison.Ordinal) ? "key" : "resource", BadSegment);
    }

    private static bool IsDots(string segment) => segment is "." or "..";

    private static ReadOnlySpan<char> PathOf(HttpContext context)
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
