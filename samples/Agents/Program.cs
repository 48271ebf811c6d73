// Three agents share four tasks by `leases mcp`, as the agents of one workflow do. One dies in the middle of its task, and another does
// that task. What a model would decide is a script here; the tools and what they answer are those that a model gets:
//
//   dotnet run --project samples/Agents
using Agents;
using OrleansLeases;
using Samples;

if (args is [Agent.Verb, var address, var name])
{
    ChildProcess.EndWithParent();
    return await Agent.RunAsync(address, name);
}

await using var server = await LocalServer.StartAsync();
using var first = Start("A");
while (await first.HearAsync() is var heard && !heard.StartsWith("claimed ", StringComparison.Ordinal)) continue;
using var second = Start("B");
using var third = Start("C");
first.Kill();
Console.WriteLine("  A dies in the middle of it. Its session ends, and with it its lease.");
var codes = await Task.WhenAll(second.ToTheEndAsync(), third.ToTheEndAsync());

var marks = (await server.Leases.ListKeysAsync(new() { Prefix = "tasks/" })).Value.Keys;
foreach (var mark in marks) Console.WriteLine($"{mark.Key}: {mark.Value}");
var history = (await server.Leases.HistoryAsync(Agent.Tasks[0])).Value.Events;
// Released by its `leases mcp`, which lost its input; where that is killed as well, the lease runs out.
var wasTakenOver = history is [{ } granted, { Kind: LeaseEventKind.Released or LeaseEventKind.Expired }, { } again, ..]
    && again.Token > granted.Token;
return codes is [0, 0] && wasTakenOver && marks.Count == Agent.Tasks.Length && marks.All(mark => mark.Lease is null) ? 0 : 1;

ChildProcess Start(string agent) => ChildProcess.Start(agent, Agent.Verb, server.Address, agent);
