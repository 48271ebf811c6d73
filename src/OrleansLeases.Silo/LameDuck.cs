using Microsoft.AspNetCore.Connections;
using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Silo;

/// <summary>
/// Keeps the gateway open for a moment after SIGTERM. It reports that it is not ready, and each response asks to close its connection:
/// so clients and load balancers turn to other silos before their connections are cut. Then no connection is accepted, and those
/// that are open are served for another moment (<see cref="DrainingTransport"/>).
/// </summary>
internal sealed class LameDuck : IHostedLifecycleService
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastMoment = TimeSpan.FromSeconds(2);

    /// <summary>Adds the draining to a gateway.</summary>
    /// <param name="services">Its services.</param>
    /// <param name="lastMoment">How long idle connections may stay; 2 s where left out.</param>
    public static void Add(IServiceCollection services, TimeSpan? lastMoment = null) => services
        .AddHostedService<LameDuck>()
        .AddSingleton<IConnectionListenerFactory>(provider => new DrainingTransport(
            lastMoment ?? LastMoment, provider.GetService<ConnectionBound>(), provider.GetRequiredService<ILoggerFactory>()));

    /// <summary>Sets <c>Connection: close</c> on every response of a gateway, once the process is stopping.</summary>
    /// <param name="app">The gateway, before any other middleware.</param>
    public static void Use(WebApplication app)
    {
        var stopping = app.Lifetime.ApplicationStopping;
        app.Use(next => context =>
        {
            context.Response.OnStarting(() =>
            {
                if (stopping.IsCancellationRequested) context.Response.Headers.Connection = "close";
                return Task.CompletedTask;
            });
            return next(context);
        });
    }

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.Delay(Moment, TimeProvider.System, cancellationToken);

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
