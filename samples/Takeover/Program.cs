// Three workers share six jobs. One of them is killed in the middle of a job, and another takes that over by itself:
//
//   dotnet run --project samples/Takeover
using OrleansLeases;
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;
using Samples;
using Takeover;

if (args is [Worker.Verb, var address, var name])
{
    ChildProcess.EndWithParent();
    await Worker.RunAsync(new Uri(address), name);
    return 0;
}

await using var server = await LocalServer.StartAsync();
using var first = Start("A");
var begun = await first.HearAsync();
using var second = Start("B");
using var third = Start("C");
first.Kill();
Console.WriteLine("  A is killed in the middle of it. Its lease runs out.");
var codes = await Task.WhenAll(second.ToTheEndAsync(), third.ToTheEndAsync());

await using var leases = new LeaseClient(server.Leases);
var done = await Task.WhenAll(Worker.Jobs.Select(job => new TaskClaim(leases, job).IsDoneAsync().AsTask()));
Console.WriteLine($"{done.Count(isDone => isDone)} of {done.Length} jobs are done. What happened to the first one:");
var history = (await server.Leases.HistoryAsync(Worker.Jobs[0])).Value.Events;
foreach (var change in history) Console.WriteLine($"  {change.Kind} {change.Owner}, token {change.Token}");

// A's lease was not released but ran out, and whoever came after it had a greater token.
var wasTakenOver = history is [{ Owner: "A" } granted, { Kind: LeaseEventKind.Expired, Owner: "A" }, { Owner: "B" or "C" } again, ..]
    && again.Token > granted.Token;
return begun == $"begins jobs/1 with token {history[0].Token}" && codes is [0, 0] && wasTakenOver && done.All(isDone => isDone) ? 0 : 1;

ChildProcess Start(string name) => ChildProcess.Start(name, Worker.Verb, server.Address, name);
