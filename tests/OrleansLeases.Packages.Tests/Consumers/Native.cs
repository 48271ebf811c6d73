// An application outside of the repository that has no code but what the compiler found to be needed.
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;

var configuration = new ConfigurationBuilder()
    .AddInMemoryCollection([new("Servers:0", args[0]), new("CallTimeout", "00:00:10"), new("Client:Owner", "native")])
    .Build();
var services = new ServiceCollection();
services.AddLeasesClient(configuration);
await using var provider = services.BuildServiceProvider();
var leases = provider.GetRequiredService<LeaseClient>();
using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(30), TimeProvider.System);
await using var lease = await leases.AcquireAsync("orders/42", cancellationToken: timeout.Token);
var count = await new Counter(leases, "orders/count").AddAsync(cancellationToken: timeout.Token);
Console.WriteLine($"{lease.Owner}: token {lease.Token}, count {count}");
