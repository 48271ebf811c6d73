using OrleansLeases;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway;

namespace Samples;

/// <summary>The lease service in this process, in memory, for the other processes of a sample to call.</summary>
internal sealed class LocalServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LocalServer(WebApplication app, EmbeddedLeases leases) => (_app, Leases) = (app, leases);

    /// <summary>The same service, without HTTP.</summary>
    public EmbeddedLeases Leases { get; }

    public string Address => _app.Urls.Single();

    public static async Task<LocalServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var leases = EmbeddedLeases.InMemory();
        builder.Services.AddSingleton<ILeaseService>(leases);
        builder.Services.AddLeaseGateway();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapLeases();
        await app.StartAsync();
        return new(app, leases);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await Leases.DisposeAsync();
    }
}
