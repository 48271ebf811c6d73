using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>Somebody's application that has leases besides what it is for.</summary>
internal sealed class HostApplication : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HostApplication(WebApplication app) => (_app, Client) = (app, new HttpClient { BaseAddress = new Uri(app.Urls.Single()) });

    public HttpClient Client { get; }

    /// <param name="leases">The service behind the gateway.</param>
    /// <param name="services">Adds the application's own services.</param>
    /// <param name="pipeline">Adds its middleware and endpoints, and the gateway's.</param>
    public static async Task<HostApplication> StartAsync(
        ILeaseService leases, Action<IServiceCollection> services, Action<WebApplication> pipeline)
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(leases);
        services(builder.Services);
        var app = builder.Build();
        pipeline(app);
        await app.StartAsync();
        return new HostApplication(app);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
