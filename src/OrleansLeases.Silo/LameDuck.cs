using Microsoft.AspNetCore.Connections;
using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Silo;

/// <summary>
/// Keeps the gateway open for a moment after the process was asked to end. It is not ready any more, and asks with each
/// answer that the connection be closed: so clients and load balancers turn to other silos before their connections are cut. Then
/// nobody is let in any more, and those who are connected are answered for another moment (<see cref="DrainingTransport"/>).
/// </summary>
internal sealed class LameDuck : IHostedLifecycleService
{
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LastMoment = TimeSpan.FromSeconds(2);

    /// <summary>Has a gateway leave like this.</summary>
    /// <param name="services">Its services.</param>
    /// <param name="lastMoment">How long connections may stay that nothing is sent on; 2 s where left out.</param>
    public static void Add(IServiceCollection services, TimeSpan? lastMoment = null) => services
        .AddHostedService<LameDuck>()
        .AddSingleton<IConnectionListenerFactory>(provider => new DrainingTransport(
            lastMoment ?? LastMoment, provider.GetService<ConnectionBound>(), provider.GetRequiredService<ILoggerFactory>()));

    /// <summary>Has every answer of a gateway ask that the connection be closed, once the process was asked to end.</summary>
    /// <param name="app">The gateway, before it has anything else.</param>
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
