using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway;

namespace OrleansLeases.Dashboard.Tests.Hosting;

/// <summary>A server of leases as <c>leases serve</c> maps it, in this process.</summary>
internal sealed class Server : IAsyncDisposable
{
    private readonly WebApplication _app;

    private Server(WebApplication app) => (_app, Address) = (app, app.Urls.Single());

    public string Address { get; }

    /// <param name="leases">The service.</param>
    /// <param name="port">Where it listens; 0 for any free port.</param>
    /// <param name="authenticate">Who calls; null where nobody is asked.</param>
    public static async Task<Server> StartAsync(
        ILeaseService leases, int port = 0, Func<HttpContext, ValueTask<LeaseResult<LeaseCaller>>>? authenticate = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(leases).AddLeaseGateway(gateway => gateway.Authenticate = authenticate);
        var app = builder.Build();
        app.MapLeaseServer();
        await app.StartAsync();
        return new Server(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
