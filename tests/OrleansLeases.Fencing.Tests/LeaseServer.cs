using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OrleansLeases.Client;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway;

namespace OrleansLeases.Fencing.Tests;

/// <summary>A lease service of its own, which proves tokens, and a client of it.</summary>
internal sealed class LeaseServer : IAsyncDisposable
{
    private readonly EmbeddedLeases _engine = EmbeddedLeases.InMemory();
    private readonly WebApplication _app;
    private readonly HttpClient _http;

    private LeaseServer()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<ILeaseService>(_engine).AddSingleton(_engine.ServiceRecords).AddLeaseGateway();
        _app = builder.Build();
        _app.MapLeaseServer();
        _http = new HttpClient();
    }

    public Uri Address => new(_app.Urls.Single());

    public LeaseClient Leases { get; private set; } = null!;

    public static async Task<LeaseServer> StartAsync()
    {
        var server = new LeaseServer();
        await server._app.StartAsync();
        server._http.BaseAddress = server.Address;
        server.Leases = new LeaseClient(new HttpLeaseService(server._http));
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await Leases.DisposeAsync();
        _http.Dispose();
        await _app.DisposeAsync();
        await _engine.DisposeAsync();
    }
}
