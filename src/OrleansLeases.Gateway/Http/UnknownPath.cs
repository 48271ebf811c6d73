using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using OrleansLeases.Gateway.Json;

namespace OrleansLeases.Gateway.Http;

/// <summary>Answers what no endpoint takes; routing by itself answers it without a body.</summary>
internal static class UnknownPath
{
    /// <summary>Takes every path that nothing else in the host takes.</summary>
    public static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.Map("/{**path}", RefuseAsync).WithOrder(int.MaxValue);

    /// <summary>Takes the methods of a path that no endpoint takes.</summary>
    public static void MapOtherMethods(this IEndpointRouteBuilder endpoints, string pattern, Func<HttpContext, string> allowed) =>
        endpoints.MapOtherMethods(RoutePatternFactory.Parse(pattern), allowed);

    /// <inheritdoc cref="MapOtherMethods(IEndpointRouteBuilder, string, Func{HttpContext, string})"/>
    public static void MapOtherMethods(this IEndpointRouteBuilder endpoints, RoutePattern pattern, Func<HttpContext, string> allowed) =>
        endpoints.Map(pattern, context => RefuseMethodAsync(context, allowed(context)));

    /// <summary>Answers a path that is none of the contract's.</summary>
    public static Task RefuseAsync(HttpContext context)
    {
        FieldErrors errors = default;
        RawPath.RequireName(context, ref errors);
        return errors.Any
            ? ResponseWriter.RefuseAsync(context, errors.ToRefusal())
            : ResponseWriter.RefuseAsync(context, HttpProblem.WrongPath(FieldErrors.Shorten(context.Request.Path.Value ?? "")));
    }

    private static Task RefuseMethodAsync(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return ResponseWriter.RefuseAsync(context, HttpProblem.WrongMethod(FieldErrors.Shorten(context.Request.Method), allowed));
    }
}
