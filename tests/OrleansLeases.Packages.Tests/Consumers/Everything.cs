// An application outside of the repository that references every package, and uses each once.
using System.Net;
using System.Net.Sockets;
using Medallion.Threading;
using OrleansLeases;
using OrleansLeases.Client;
using OrleansLeases.DistributedLocks;
using OrleansLeases.Embedded;
using OrleansLeases.Fencing.AspNetCore;
using OrleansLeases.Fencing.PostgreSql;
using OrleansLeases.Gateway;
using OrleansLeases.Grains;
using OrleansLeases.Hosting;

// On SQLite, whose native library comes with a package.
await using var embedded = await EmbeddedLeases.OpenAsync("data");
var builder = WebApplication.CreateSlimBuilder();
builder.Logging.ClearProviders();
builder.WebHost.UseUrls("http://127.0.0.1:0");
builder.Services.AddSingleton<ILeaseService>(embedded).AddLeaseGateway().AddLeaseJwtBearer();
builder.Services.AddLeaseFence("Host=127.0.0.1;Port=1;Database=none");
builder.Services.AddLeaseProofs(new Uri("http://127.0.0.1:1"));
await using var gateway = builder.Build();
gateway.MapLeaseServer();
gateway.MapPost("/fenced", () => "done").RequireLease("orders/42");
await gateway.StartAsync();
var address = gateway.Urls.Single();

var client = Host.CreateEmptyApplicationBuilder(null);
client.Services.AddLeasesClient(leases => leases.Servers.Add(address)).Services.AddLeasesDistributedLocks();
using var caller = client.Build();
await using (var lease = await caller.Services.GetRequiredService<LeaseClient>().AcquireAsync("orders/42"))
{
    Console.WriteLine($"over HTTP: token {lease.Token}");
}

await using (var handle = await caller.Services.GetRequiredService<IDistributedLockProvider>().AcquireLockAsync("orders/42"))
{
    Console.WriteLine($"by DistributedLock: token {((LeaseDistributedSynchronizationHandle)handle).Token}");
}

using var http = new HttpClient();
using var document = await http.GetAsync(new Uri($"{address}/openapi/v1.json"));
Console.WriteLine($"OpenAPI: {document.StatusCode}");
using var unfenced = await http.PostAsync(new Uri($"{address}/fenced"), content: null);
Console.WriteLine($"without a token: {unfenced.StatusCode}");
Console.WriteLine($"the fence: {(LeaseFence.Script.Contains("lease_fence", StringComparison.Ordinal) ? "there" : "missing")}");
Console.WriteLine($"the schema: {(LeaseSchema.Script.Contains("lease_record", StringComparison.Ordinal) ? "there" : "missing")}");

var silo = Host.CreateEmptyApplicationBuilder(null);
var ran = new TaskCompletionSource<string>();
silo.Services.AddScheduledJob("bills", "* * * * * *", (run, _) => Task.FromResult(ran.TrySetResult(run.Name)));
silo.UseOrleans(orleans => orleans.UseLocalhostClustering(FreePort(), FreePort()).AddLeases());
using var host = silo.Build();
await host.StartAsync();
var grain = host.Services.GetRequiredService<IGrainFactory>().GetLease("orders/42");
var granted = await grain.AcquireAsync(new AcquireRequest { Resource = "orders/42", Owner = "me", Ttl = TimeSpan.FromSeconds(30) });
Console.WriteLine($"by its grain: held by {granted.Value.Owner}");
await using (var lease = await host.Services.GetRequiredService<LeaseClient>().AcquireAsync("orders/43"))
{
    Console.WriteLine($"in a silo: {(lease.IsValid() ? "held" : "lost")}");
}

Console.WriteLine($"a job: {await ran.Task}");
await host.StopAsync();

static int FreePort()
{
    using var listener = new TcpListener(IPAddress.Loopback, 0);
    listener.Start();
    return ((IPEndPoint)listener.LocalEndpoint).Port;
}
