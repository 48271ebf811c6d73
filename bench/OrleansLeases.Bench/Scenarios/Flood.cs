using System.Globalization;
using System.Text.RegularExpressions;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// Far more connections and waits than a server of 512 MiB takes: they are refused, a holder renews meanwhile, and the server lives.
internal static class Flood
{
    private const long Memory = 512L << 20;
    private const int ConnectionsBeyond = 10_000;
    private const int WaitsBeyond = 20_000;
    private const int Openers = 64;

    // Of one name there are a thousand waiters at most.
    private const int Names = 4;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan BetweenRenewals = TimeSpan.FromMilliseconds(10);

    // Who sends a request looks whether it is refused before it sends the next one.
    private static readonly TimeSpan BeforeNext = TimeSpan.FromMilliseconds(20);

    public static void Run(Bench bench)
    {
        var server = bench.StartLeasesInContainer(Memory);
        var (connections, waits) = BoundsOf(server);
        var client = bench.LeaseClients(server, 1, "held/", "owner", TimeSpan.FromHours(1))[0];
        long token = 0;
        for (var name = Names - 1; name >= 0; name--)
            token = bench.Loop.Run(async () => (await client.AcquireAsync(name)).Token, Limit);
        var renew = LeaseRequest.Renew("held/", Bench.OwnerOf("owner", 0)).Name(0).Token(token).Bytes;
        byte[][] wait = [.. Enumerable.Range(0, Names).Select(
            name => LeaseRequest.Acquire("held/", "flood", TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(25)).Name(name).Bytes)];

        Run("connections that say nothing", connections, ConnectionsBeyond, _ => default);
        Run("connections that are heard", connections, ConnectionsBeyond, _ => FloodCaller.Get("/v1/leases/held/0000001"));
        Run("waits", waits, WaitsBeyond, caller => wait[caller % Names]);
        bench.Report.Add(new Verdict("flood", "the server's peak of memory", server.PeakResidentBytes / 1048576.0, "MiB", LessThan: 512));

        void Run(string what, int bound, int beyond, Func<int, ReadOnlyMemory<byte>> request)
        {
            var holder = new Holder(server.Port, renew);
            var outcomes = FloodAsync(server.Port, bound + beyond, request, holder).WaitAsync(Limit).GetAwaiter().GetResult();
            int Count(FloodOutcome outcome) => outcomes.Count(one => one == outcome);
            bench.Report.Add(new Row("flood", $"{what}, refused", "", Count(FloodOutcome.Refused) + Count(FloodOutcome.Closed)));
            bench.Report.Add(new Row("flood", $"{what}, a holder renews meanwhile", "calls", holder.Samples.Count)
            {
                MedianMs = holder.Samples.Median, P99Ms = holder.Samples.Percentile(0.99),
            });
            bench.Report.Note(string.Create(
                CultureInfo.InvariantCulture,
                $"{bound + beyond:#,0} {what}, {bound:#,0} of them within the bound: {Count(FloodOutcome.Open):#,0} open, "
                + $"{Count(FloodOutcome.Answered):#,0} answered, {Count(FloodOutcome.Refused):#,0} refused with 429, "
                + $"{Count(FloodOutcome.Closed):#,0} closed; peak {server.PeakResidentBytes >> 20} MiB so far; "
                + $"the holder's connections were turned away {holder.TurnedAway:#,0} times"));
            bench.Report.Add(new Verdict(
                "flood", $"{what}: refused", Count(FloodOutcome.Refused) + Count(FloodOutcome.Closed), "", AtLeast: beyond));
            bench.Report.Add(new Verdict("flood", $"{what}: renewals refused", holder.Refused, "", LessThan: 1));
            bench.Report.Add(new Verdict(
                "flood", $"{what}: a renewal took at most", holder.Samples.Percentile(1) / 1000, "s", LessThan: 10));
        }
    }

    private static async Task<FloodOutcome[]> FloodAsync(int port, int count, Func<int, ReadOnlyMemory<byte>> requestOf, Holder holder)
    {
        using var end = new CancellationTokenSource();
        var renewing = holder.RunAsync(end.Token);
        var callers = new FloodCaller[count];
        var next = -1;
        try
        {
            await Task.WhenAll(Enumerable.Range(0, Openers).Select(_ => Task.Run(async () =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < count;)
                {
                    var request = requestOf(i);
                    callers[i] = await FloodCaller.StartAsync(port, request);
                    if (!request.IsEmpty)
                        await Task.WhenAny(callers[i].FirstAsync(), Task.Delay(BeforeNext, TimeProvider.System));
                }
            })));
            // What is under way comes to its end.
            await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System);
            await end.CancelAsync();
            await renewing;
            return [.. callers.Select(caller => caller.Outcome)];
        }
        finally
        {
            foreach (var caller in callers)
                caller?.Dispose();
        }
    }

    // As the server says them at its start.
    private static (int Connections, int Waits) BoundsOf(ServerProcess server)
    {
        var text = Regex.Match(server.LastLines(), @"At most (\d+) connections, \d+ requests, (\d+) waits");
        if (!text.Success)
            throw new BenchException($"The server did not say its bounds: {server.LastLines()}");
        return (int.Parse(text.Groups[1].ValueSpan, CultureInfo.InvariantCulture),
            int.Parse(text.Groups[2].ValueSpan, CultureInfo.InvariantCulture));
    }

    // Renews again and again, each time over a connection of its own, as many short-lived holders would.
    private sealed class Holder(int port, byte[] renew)
    {
        public Samples Samples { get; } = new();

        public int Refused { get; private set; }

        public int TurnedAway { get; private set; }

        public async Task RunAsync(CancellationToken end)
        {
            while (!end.IsCancellationRequested)
            {
                var start = Clock.Now;
                FloodOutcome outcome;
                do
                {
                    using var call = await FloodCaller.StartAsync(port, renew);
                    outcome = await call.FirstAsync();
                    if (outcome == FloodOutcome.Closed)
                        TurnedAway++;
                }
                while (outcome == FloodOutcome.Closed);

                if (outcome == FloodOutcome.Refused)
                    Refused++;
                Samples.Add(Clock.Now - start);
                await Task.Delay(BetweenRenewals, TimeProvider.System, CancellationToken.None);
            }
        }
    }
}
