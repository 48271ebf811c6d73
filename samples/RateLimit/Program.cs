// An API takes three calls at once and refuses the rest. Twelve workers call it: first as they like, then in the places of a
// semaphore that all of them share:
//
//   dotnet run --project samples/RateLimit
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;
using OrleansLeases.Embedded;
using RateLimit;

await using var service = EmbeddedLeases.InMemory(); // or HttpLeaseService, and the workers are processes
var workers = Enumerable.Range(1, 12).Select(n => new LeaseClient(service, new() { Owner = $"worker {n}" })).ToArray();

var free = new LimitedApi();
await Task.WhenAll(workers.Select(_ => free.CallAsync(CancellationToken.None)));
Console.WriteLine($"As they like: {free.Answered} calls answered, {free.Refused} refused.");

var shared = new LimitedApi();
await Task.WhenAll(workers.Select(worker =>
    new DistributedSemaphore(worker, "apis/maps", LimitedApi.Limit).RunAsync((_, stop) => shared.CallAsync(stop))));
Console.WriteLine(
    $"With the semaphore: {shared.Answered} calls answered, {shared.Refused} refused, never more than {shared.MostAtOnce} at once.");

foreach (var worker in workers) await worker.DisposeAsync();
return free.Refused > 0 && shared is { Answered: 12, Refused: 0, MostAtOnce: LimitedApi.Limit } ? 0 : 1;
