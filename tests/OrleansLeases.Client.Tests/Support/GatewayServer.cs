using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway;

namespace OrleansLeases.Client.Tests.Support;

/// <summary>A real server on loopback: one of several ways to a service.</summary>
internal sealed class GatewayServer : IAsyncDisposable
{
    private readonly WebApplication _server;

    private GatewayServer(WebApplication server) => _server = server;

    public Uri Address => new(_server.Urls.Single());

    public static async Task<GatewayServer> StartAsync(ILeaseService service)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(service).AddLeaseGateway();
        var server = builder.Build();
        server.MapLeases();
        await server.StartAsync();
        return new(server);
    }

    /// <summary>Sends away who waits, and stops.</summary>
    public async Task StopAsync()
    {
        using var atOnce = new CancellationTokenSource(TimeSpan.FromSeconds(1), TimeProvider.System);
        await _server.StopAsync(atOnce.Token);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
