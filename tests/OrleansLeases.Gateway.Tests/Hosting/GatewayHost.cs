using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Tests.Hosting;

internal delegate Task RequestDelegateWrapper(HttpContext context, RequestDelegate next);

/// <summary>The gateway on a real server, over a service that the test gives.</summary>
internal sealed class GatewayHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private GatewayHost(WebApplication app, Uri address) =>
        (_app, Address, Client) = (app, address, new HttpClient { BaseAddress = address });

    public Uri Address { get; }

    public HttpClient Client { get; }

    public IHostApplicationLifetime Lifetime => _app.Lifetime;

    public IEnumerable<RouteEndpoint> Endpoints =>
        _app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>();

    public IServiceProvider Services => _app.Services;

    public LogRecords Log => _app.Services.GetRequiredService<LogRecords>();

    public static async Task<GatewayHost> StartAsync(
        ILeaseService? leases,
        string pathBase = "",
        string group = "",
        RequestDelegateWrapper? around = null,
        TimeProvider? time = null,
        string url = "http://127.0.0.1:0",
        Action<LeaseGatewayOptions>? options = null,
        Action<IServiceCollection>? services = null,
        Action<WebApplication>? app = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().UseUrls(url);
        var log = new LogRecords();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Trace);
        builder.Services.AddSingleton(log).AddLeaseGateway(options);
        if (leases is not null) builder.Services.AddSingleton(leases);
        if (time is not null) builder.Services.AddSingleton(time);

        services?.Invoke(builder.Services);

        var host = builder.Build();
        if (around is not null) host.Use(next => context => around(context, next));
        host.UsePathBase(pathBase);
        host.UseRouting();
        app?.Invoke(host);
        host.MapGroup(group).MapLeaseServer();
        await host.StartAsync();
        var addresses = host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        return new GatewayHost(host, new Uri(addresses.Single().Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)));
    }

    public Task<Reply> PostAsync(string path, string body) => PostAsync(path, Encoding.UTF8.GetBytes(body));

    public async Task<Reply> PostAsync(
        string path, byte[] body, string? contentType = "application/json", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        if (contentType is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await Reply.ReadAsync(await Client.SendAsync(request));
    }

    public async Task<Reply> GetAsync(string path) => await Reply.ReadAsync(await Client.GetAsync(path));

    public async Task<Reply> SendAsync(HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        return await Reply.ReadAsync(await Client.SendAsync(request));
    }

    public Task<RawConnection> ConnectAsync() => RawConnection.OpenAsync(Address);

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
