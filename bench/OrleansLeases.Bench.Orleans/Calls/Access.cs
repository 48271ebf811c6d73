using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Grains;

namespace OrleansLeases.Bench.Orleans.Calls;

// A host to call grains from.
internal static class Access
{
    // A silo in this process, alone, with the options of one that ships.
    public static Task<IHost> StartSiloAsync(
        Settings settings, PostgresStorage storage = PostgresStorage.GroupCommit) => StartAsync(builder => builder.UseOrleans(silo =>
    {
        var id = storage == PostgresStorage.GroupCommit ? SiloCluster.Id : $"{SiloCluster.Id}-{storage}";
        silo.UseLocalhostClustering(ServerProcess.FreePort(), ServerProcess.FreePort(), serviceId: id, clusterId: id);
        if (settings.ConnectionString is { } database)
            silo.AddLeases(database, options => options.Storage = storage);
        else
            silo.AddLeases();
    }));

    // A client of a silo in another process.
    public static Task<IHost> ConnectAsync(Settings settings) => StartAsync(builder => builder.UseOrleansClient(client =>
    {
        client.UseLocalhostClustering(settings.Gateway, serviceId: SiloCluster.Id, clusterId: SiloCluster.Id);
        client.AddLeases();
    }));

    public static ILeaseCalls[] CallsOf(IHost host) =>
        [new DirectCalls(host.Services.GetRequiredService<IGrainFactory>()), new ServiceCalls(
            host.Services.GetRequiredService<ILeaseService>())];

    private static async Task<IHost> StartAsync(Action<HostApplicationBuilder> configure)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace).SetMinimumLevel(LogLevel.Warning);
        configure(builder);
        var host = builder.Build();
        await host.StartAsync();
        return host;
    }
}
