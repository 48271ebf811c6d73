// An Orleans application whose grains, one for each customer, write to one archive outside of Orleans. Leases see to it
// that one of them writes at a time, and the archive refuses who comes too late:
//
//   dotnet run --project samples/OrleansApplication
using System.Net;
using System.Net.Sockets;
using OrleansApplication;
using OrleansLeases.Grains;

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.Services.AddSingleton<Archive>();
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.UseOrleans(silo =>
{
    silo.UseLocalhostClustering(FreePort(), FreePort());

    // The line: leases in this silo's memory, or on PostgreSQL with a connection string; grains ask for a LeaseClient.
    silo.AddLeases();
});
await using var app = builder.Build();
await app.StartAsync();

var grains = app.Services.GetRequiredService<IGrainFactory>();
await Task.WhenAll(Enumerable.Range(1, 5).Select(customer => grains.GetGrain<IExporter>($"customer {customer}").ExportAsync()));

var archive = app.Services.GetRequiredService<Archive>();
Console.WriteLine(
    $"{archive.Written.Count} exports, {archive.MostAtOnce} at once, tokens {(archive.TokensOnlyGrew ? "only grew" : "went back")}.");
await app.StopAsync();
return archive is { Written.Count: 5, MostAtOnce: 1, TokensOnlyGrew: true } ? 0 : 1;

// A program of yours has the ports that its cluster has.
static int FreePort()
{
    using var listener = new TcpListener(IPAddress.Loopback, 0);
    listener.Start();
    return ((IPEndPoint)listener.LocalEndpoint).Port;
}
