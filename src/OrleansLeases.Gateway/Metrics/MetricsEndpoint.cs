using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OrleansLeases.Gateway.Bounds;
using OrleansLeases.Gateway.Http;

namespace OrleansLeases.Gateway.Metrics;

/// <summary>
/// Where the metrics are scraped: behind the entrance, as every call. Where the service wants credentials, the caller needs the right to
/// read something, or to administer: metrics have no names in them. Decision metrics-take-a-right.
/// </summary>
internal sealed class MetricsEndpoint(IMetricsPage page)
{
    private const string Path = "/metrics";

    public static void Map(IEndpointRouteBuilder endpoints, IMetricsPage page)
    {
        RequestDelegate handler = new MetricsEndpoint(page).WriteAsync;
        endpoints.MapGet(Path, handler).WithMetadata(OwnRoom.Instance);
        endpoints.MapOtherMethods(Path, _ => "GET");
    }

    private Task WriteAsync(HttpContext context) =>
        context.Features.Get<LeaseCaller>() is { } caller && !caller.Rights.Rules.Any(MayLook)
            ? ResponseWriter.RefuseAsync(
                context, new Refusal.Forbidden("To read the metrics takes the right 'read' or 'admin', of whatever prefix."))
            : page.WriteAsync(context);

    private static bool MayLook(AccessRule rule) => (rule.Rights & (LeaseRights.Read | LeaseRights.Admin)) != 0;
}
