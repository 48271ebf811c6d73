// Three hosts run one service, on one of them at a time, and start one job each second. The host that leads is killed, the next one is
// stopped, and the last one leads on:
//
//   dotnet run --project samples/HostedWork
using System.Threading.Channels;
using HostedWork;
using Samples;

if (args is [Instance.Verb, var address])
{
    await Instance.RunAsync(address);
    return 0;
}

await using var server = await LocalServer.StartAsync();
var told = Channel.CreateUnbounded<(ChildProcess Instance, string Line)>();
using var a = Start("A");
using var b = Start("B");
using var c = Start("C");
ChildProcess[] instances = [a, b, c];
foreach (var instance in instances) _ = ListenAsync(instance);

var ticks = new List<string>();
var leaders = new List<ChildProcess>();
await foreach (var (instance, line) in told.Reader.ReadAllAsync())
{
    if (line.StartsWith(Instance.Tick, StringComparison.Ordinal)) ticks.Add(line);
    if (line.StartsWith("exports with", StringComparison.Ordinal))
    {
        leaders.Add(instance);
        if (leaders.Count == 1)
        {
            instance.Kill();
            Console.WriteLine($"  {instance.Name} is killed. Its lease runs out.");
        }
        else if (leaders.Count == 2)
        {
            Console.WriteLine($"  {instance.Name} is asked to stop.");
            await instance.TellAsync();
        }
    }

    if (leaders.Count == 3 && ticks.Count >= 5) break;
}

var once = ticks.Distinct().Count() == ticks.Count;
var each = leaders.Distinct().Count() == instances.Length;
Console.WriteLine($"{leaders.Count} instances led, one after the other; {ticks.Count} ticks, {(once ? "none" : "some")} of them twice.");
return once && each ? 0 : 1;

ChildProcess Start(string name) => ChildProcess.Start(name, Instance.Verb, server.Address);

async Task ListenAsync(ChildProcess instance)
{
    try
    {
        while (true) told.Writer.TryWrite((instance, await instance.HearAsync()));
    }
    catch (Exception error) when (error is InvalidOperationException or TimeoutException)
    {
        // It has ended.
    }
}
