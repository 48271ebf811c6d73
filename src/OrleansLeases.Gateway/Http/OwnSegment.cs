using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;

namespace OrleansLeases.Gateway.Http;

/// <summary>
/// The last segment of a path that an application may have as well: its endpoint of the same path goes first, where two literal ones
/// would be ambiguous; what takes whole folders, or every path, goes after this. Decision proof-keys-give-way.
/// </summary>
internal sealed class OwnSegment : IRouteConstraint
{
    private readonly string _end;

    private OwnSegment(string segment) => _end = "/" + segment;

    /// <summary>The pattern of a path whose last segment gives way.</summary>
    /// <param name="folder">What is before the segment, ending in a slash.</param>
    /// <param name="segment">The segment.</param>
    public static RoutePattern Of(string folder, string segment) => RoutePatternFactory.Parse(
        $"{folder}{{{segment}}}", defaults: null, new RouteValueDictionary { [segment] = new OwnSegment(segment) });

    /// <inheritdoc/>
    public bool Match(
        HttpContext? httpContext, IRouter? route, string routeKey, RouteValueDictionary values, RouteDirection routeDirection) =>
        httpContext is not null && RawPath.Of(httpContext).EndsWith(_end, StringComparison.Ordinal);
}
