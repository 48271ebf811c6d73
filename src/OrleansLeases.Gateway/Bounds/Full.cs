using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using OrleansLeases.Gateway.Hosting;
using OrleansLeases.Gateway.Http;

namespace OrleansLeases.Gateway.Bounds;

/// <summary>Answers a call that there is no room for.</summary>
internal static class Full
{
    /// <summary>Refuses it, and has its connection end where that is its alone: connections are bounded in number too.</summary>
    public static Task RefuseAsync(HttpContext context, Refusal.LimitReached full)
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol) || context.Features.Get<ConnectionPlace>() is { IsInReserve: true })
            EndConnection(context);
        return ResponseWriter.RefuseAsync(context, full);
    }

    /// <summary>Has the connection of a call end with its answer.</summary>
    public static void EndConnection(HttpContext context)
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol)) context.Response.Headers.Connection = "close";
        else context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
    }
}
