using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OrleansLeases.Gateway.Bounds;

namespace OrleansLeases.Gateway.Hosting;

/// <summary>Bounds the connections of a host that has its process to itself.</summary>
internal static class ConnectionBounds
{
    // With what it has sent and nobody has read, at most as much again.
    private const int BytesOfConnection = 128 * 1024;
    private const int BytesUnread = 64 * 1024;

    private const string MoreFiles =
        "Raise the limit of open files (ulimit -n, LimitNOFILE), which leaves room for no more, if clients are to keep as many.";

    private const string MoreByConfiguration = "Raise the bound, or give the process more memory, if clients are to keep as many.";

    /// <summary>Bounds the connections, and what each may send that is not read yet.</summary>
    /// <param name="host">The web host.</param>
    /// <param name="configured">How many at most; null for as many as there is memory for.</param>
    /// <param name="reserve">Descriptors that the process needs for anything else, beyond those that it has open now.</param>
    public static IWebHostBuilder BoundConnections(this IWebHostBuilder host, int? configured, int reserve)
    {
        var most = configured ?? (int)Math.Clamp(MemoryBound.Available / BytesOfConnection, 64, int.MaxValue);
        var remedy = MoreByConfiguration;
        if (Descriptors.Limit is { } limit && Math.Max(limit / 4, limit - Descriptors.Open - reserve) is var files && files < most)
            (most, remedy) = ((int)files, MoreFiles);
        return host
            .ConfigureServices(services =>
            {
                services.AddSingleton(provider =>
                    new ConnectionBound(most, remedy, provider.GetRequiredService<ILogger<ConnectionBound>>()));
                services.AddSingleton<IConnectionListenerFactory, BoundedTransport>();
                services.PostConfigure<LeaseGatewayOptions>(gateway => LeaveConnections(gateway, most));
            })
            .ConfigureKestrel(kestrel =>
            {
                Bound(kestrel.Limits);
                kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Use(next => async connection =>
                {
                    try
                    {
                        await next(connection);
                    }
                    finally
                    {
                        connection.Features.Get<ConnectionPlace>()?.Leave();
                    }
                }));
            });
    }

    /// <summary>Says how much is taken at once, for people.</summary>
    public static string Bounds(this IServiceProvider services)
    {
        var most = MostOpen.Of(services.GetRequiredService<IOptions<LeaseGatewayOptions>>().Value);
        return $"{services.GetRequiredService<ConnectionBound>().Most} connections, {most.Requests} requests, {most.Waits} waits and "
            + $"{most.Watches} watches";
    }

    // In HTTP/1.1 each wait and each watch has a connection to itself, and others want some too.
    private static void LeaveConnections(LeaseGatewayOptions gateway, int most)
    {
        var open = MostOpen.Of(gateway);
        gateway.MaxOpenWaits ??= Math.Max(1, Math.Min(open.Waits, most / 2));
        gateway.MaxOpenWatches ??= Math.Max(1, Math.Min(open.Watches, most / 4));
    }

    // Kestrel's defaults are a mebibyte of each connection, read or not.
    private static void Bound(KestrelServerLimits limits)
    {
        limits.MaxRequestBufferSize = BytesUnread;
        limits.Http2.InitialConnectionWindowSize = limits.Http2.InitialStreamWindowSize = BytesUnread;
    }
}
