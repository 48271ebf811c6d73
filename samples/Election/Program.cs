// Three processes stand for election. The one that leads is killed, the next one is asked to hand over, and the last one
// resigns; whoever watches sees who leads:
//
//   dotnet run --project samples/Election
using Election;
using OrleansLeases.Client;
using OrleansLeases.Client.Recipes;
using Samples;

if (args is [Candidate.Verb, var address, var name])
{
    ChildProcess.EndWithParent();
    await Candidate.RunAsync(new Uri(address), name);
    return 0;
}

await using var server = await LocalServer.StartAsync();
using var a = Start("A");
using var b = Start("B");
using var c = Start("C");
ChildProcess[] candidates = [a, b, c];
foreach (var candidate in candidates) await candidate.HearAsync();

await using var leases = new LeaseClient(server.Leases);
var election = new LeaderElection(leases, Candidate.Office);
var leaders = new List<Leader>();
using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(1));
await foreach (var leader in election.ObserveAsync(timeout.Token))
{
    Console.WriteLine(leader is null ? "Nobody leads." : $"{leader.Owner} leads with token {leader.Token}.");
    if (leader is null && leaders.Count == candidates.Length) break;
    if (leader is null) continue;
    leaders.Add(leader);
    var leading = candidates.Single(candidate => candidate.Name == leader.Owner);
    await leading.HearAsync();
    if (leaders.Count == 1)
    {
        leading.Kill();
        Console.WriteLine($"  {leader.Owner} is killed. Its lease runs out.");
    }
    else
    {
        await election.AskToHandOverAsync(TimeSpan.FromSeconds(5), "somebody else's turn");
        await leading.ToTheEndAsync();
    }
}

var each = leaders.Select(leader => leader.Owner).Distinct().Count() == candidates.Length;
var inOrder = leaders.Zip(leaders.Skip(1)).All(pair => pair.First.Token < pair.Second.Token);
Console.WriteLine($"{leaders.Count} leaders, one after the other.");
return each && inOrder ? 0 : 1;

ChildProcess Start(string name) => ChildProcess.Start(name, Candidate.Verb, server.Address, name);
