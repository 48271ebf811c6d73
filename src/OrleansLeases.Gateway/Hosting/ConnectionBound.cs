using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Hosting;

/// <summary>
/// Takes no more connections than the process has descriptors for. A process that runs out of them can open neither its
/// store nor a part of itself that it has not needed before, and ends, or answers nobody ever again. A connection beyond
/// the bound is turned away at once; its client can ask another server. Thread-safe.
/// </summary>
/// <param name="most">How many connections may be open at once.</param>
/// <param name="logger">Told when the first is turned away, and when there is room again.</param>
internal sealed partial class ConnectionBound(int most, ILogger<ConnectionBound> logger)
{
    // Some room between the two, so that the log is not filled at the edge.
    private readonly int _roomy = most - Math.Max(1, most / 10);
    private int _open;
    private int _turnedAway;

    /// <summary>How many connections may be open at once.</summary>
    public int Most => most;

    /// <summary>Lets a connection in.</summary>
    /// <returns>Whether there is room; then it is to <see cref="Leave"/>.</returns>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _open) <= most) return true;
        Interlocked.Decrement(ref _open);
        if (Interlocked.Increment(ref _turnedAway) == 1) LogFull(logger, most);
        return false;
    }

    /// <summary>A connection that was let in has ended.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _open) > _roomy || Volatile.Read(ref _turnedAway) == 0) return;
        if (Interlocked.Exchange(ref _turnedAway, 0) is > 0 and var count) LogRoomAgain(logger, count);
    }

    [LoggerMessage(7301, LogLevel.Warning, "{Most} connections are open, all that the limit of open files leaves room for; "
        + "more are turned away. Raise the limit (ulimit -n, LimitNOFILE) if clients are to keep as many.")]
    private static partial void LogFull(ILogger logger, int most);

    [LoggerMessage(7302, LogLevel.Warning, "Connections are taken again; {Count} were turned away.")]
    private static partial void LogRoomAgain(ILogger logger, int count);
}

/// <summary>Bounds the connections of a host that has its process to itself.</summary>
internal static class ConnectionBounds
{
    /// <summary>Bounds the connections by the limit of descriptors, where the system has one.</summary>
    /// <param name="host">The web host.</param>
    /// <param name="reserve">Descriptors that the process needs for anything else, beyond those that it has open now.</param>
    public static IWebHostBuilder BoundConnections(this IWebHostBuilder host, int reserve)
    {
        if (Descriptors.Limit is not { } limit) return host;
        var most = (int)Math.Min(int.MaxValue, Math.Max(limit / 4, limit - Descriptors.Open - reserve));
        return host
            .ConfigureServices(services =>
            {
                services.AddSingleton(provider => new ConnectionBound(most, provider.GetRequiredService<ILogger<ConnectionBound>>()));
                services.AddSingleton<IConnectionListenerFactory, BoundedTransport>();
            })
            .ConfigureKestrel(kestrel => kestrel.ConfigureEndpointDefaults(endpoint =>
            {
                var bound = endpoint.ApplicationServices.GetRequiredService<ConnectionBound>();
                endpoint.Use(next => async connection =>
                {
                    try
                    {
                        await next(connection);
                    }
                    finally
                    {
                        bound.Leave();
                    }
                });
            }));
    }
}
