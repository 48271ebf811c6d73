// Five servers are asked for the same price list, which none of them has. One of them reads it from the slow source, the
// others wait for that:
//
//   dotnet run --project samples/CacheFill
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Embedded;

await using var service = EmbeddedLeases.InMemory(); // or HttpLeaseService, and the servers are processes
var servers = Enumerable.Range(1, 5).Select(n => new LeaseClient(service, new() { Owner = $"server {n}" })).ToArray();
var (reads, sourceIsDown) = (0, true);

Console.WriteLine("The source is down:");
var failures = await Task.WhenAll(servers.Select(AskAsync));
var readsThatFailed = reads;

Console.WriteLine("The source is up again:");
sourceIsDown = false;
var prices = await Task.WhenAll(servers.Select(AskAsync));

Console.WriteLine(
    $"5 asked twice; the source was read {readsThatFailed} time(s) in vain, and {reads - readsThatFailed} time(s) with success.");
foreach (var server in servers) await server.DisposeAsync();
return failures.All(price => price is null) && prices.All(price => price == "prices of January") && reads - readsThatFailed == 1
    && readsThatFailed < 5 ? 0 : 1;

async Task<string?> AskAsync(LeaseClient server)
{
    try
    {
        var price = await new CacheFill(server, "prices/2030-01").GetOrFillAsync(stop => ReadSourceAsync(server.Owner, stop));
        Console.WriteLine($"  {server.Owner} has {price}");
        return price;
    }
    catch (CacheFillException failed)
    {
        Console.WriteLine($"  {server.Owner} hears of it: {failed.Message}");
    }
    catch (TimeoutException failed)
    {
        Console.WriteLine($"  {server.Owner} failed: {failed.Message}");
    }

    return null;
}

async Task<string> ReadSourceAsync(string server, CancellationToken stop)
{
    Interlocked.Increment(ref reads);
    Console.WriteLine($"  {server} reads the source");
    await Task.Delay(TimeSpan.FromSeconds(0.5), TimeProvider.System, stop);
    return sourceIsDown ? throw new TimeoutException("the source does not answer") : "prices of January";
}
