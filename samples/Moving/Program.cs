// Three workers take turns under a lock that has nothing to do with leases. They are replaced one by one by workers that take it and a
// lease, and these by workers that take the lease alone. At no time do two of them work:
//
//   dotnet run --project samples/Moving
using System.Globalization;
using System.Threading.Channels;
using Moving;
using Samples;
using Version = Moving.Version;

if (args is [Worker.Verb, var version, var address, var path])
{
    ChildProcess.EndWithParent();
    await Worker.RunAsync(Enum.Parse<Version>(version), new Uri(address), path);
    return 0;
}

await using var server = await LocalServer.StartAsync();
var file = Path.GetTempFileName();
var told = Channel.CreateUnbounded<(ChildProcess Worker, string Line)>();
var workers = new Queue<ChildProcess>();
var turns = new List<(long From, long Until)>();
foreach (var next in Enum.GetValues<Version>())
{
    for (var i = 1; i <= 3; i++)
    {
        // One by one: the other two go on with the version of before, or are replaced already.
        if (workers.Count == 3) workers.Dequeue().Dispose();
        var worker = ChildProcess.Start($"{next} {i}", Worker.Verb, next.ToString(), server.Address, file);
        workers.Enqueue(worker);
        _ = ListenAsync(worker);
        await TurnAsync(worker);
    }
}

foreach (var worker in workers) worker.Dispose();
File.Delete(file);
turns.Sort();
var twoAtOnce = turns.Zip(turns.Skip(1)).Count(pair => pair.Second.From <= pair.First.Until);
Console.WriteLine($"{turns.Count} turns of three versions, {twoAtOnce} times two at once.");
return twoAtOnce == 0 ? 0 : 1;

// Notes all turns until a worker has had one.
async Task TurnAsync(ChildProcess of)
{
    while (true)
    {
        var (worker, line) = await told.Reader.ReadAsync();
        if (line.Split(' ') is [.., var from, _, var until]) turns.Add((Parse(from), Parse(until)));
        if (worker == of) return;
    }
}

async Task ListenAsync(ChildProcess worker)
{
    try
    {
        while (true) told.Writer.TryWrite((worker, await worker.HearAsync()));
    }
    catch (Exception error) when (error is InvalidOperationException or TimeoutException or ObjectDisposedException)
    {
        // It has ended.
    }
}

static long Parse(string time) => long.Parse(time, CultureInfo.InvariantCulture);
