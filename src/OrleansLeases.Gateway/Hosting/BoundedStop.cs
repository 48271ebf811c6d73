using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace OrleansLeases.Gateway.Hosting;

/// <summary>
/// A web server that gives its connections a time of their own to end. Kestrel waits for every request that was begun, a half-sent
/// one too, as long as the host lets it: the rest of the process would have no time left to stop in good order, and a container's
/// runtime kills it after 10 s.
/// </summary>
/// <param name="server">The server.</param>
/// <param name="limit">After this its connections are cut.</param>
/// <param name="time">The clock of the limit.</param>
internal sealed class BoundedStop(IServer server, TimeSpan limit, TimeProvider time) : IServer
{
    public IFeatureCollection Features => server.Features;

    public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
        where TContext : notnull =>
        server.StartAsync(application, cancellationToken);

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var end = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(end.Token, cancellationToken);
        await server.StopAsync(either.Token);
    }

    public void Dispose() => server.Dispose();
}

/// <summary>Bounds the stop of a host that has its process to itself.</summary>
internal static class BoundedStops
{
    /// <summary>Has the web server stop within a time of its own.</summary>
    /// <param name="services">The services, with the web server among them.</param>
    /// <param name="limit">How long its connections have to end.</param>
    public static IServiceCollection BoundStop(this IServiceCollection services, TimeSpan limit)
    {
        var server = services.Last(service => service.ServiceType == typeof(IServer)).ImplementationType!;
        return services.AddSingleton(server).AddSingleton<IServer>(
            provider => new BoundedStop((IServer)provider.GetRequiredService(server), limit, TimeProvider.System));
    }
}
