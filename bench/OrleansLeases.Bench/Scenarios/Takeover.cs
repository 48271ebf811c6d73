using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;
using OrleansLeases.Bench.Http;
using OrleansLeases.Bench.Leases;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Scenarios;

// One of three silos is killed, and all holders are gone. How long until those who wait on the others hold the leases?
// Once, not in rounds: it takes as long as the cluster takes to notice.
internal static class Takeover
{
    private const string Scenario = "takeover";
    private const int Leases = 60;
    private const int Several = 3;

    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan UntilWaiting = TimeSpan.FromSeconds(1);

    // An answer may outlive the grace by a wait in line.
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(5);

    public static void Run(Bench bench)
    {
        var cluster = bench.StartSilos(Several);
        var victim = cluster.Silos[0];
        ServerProcess[] others = [.. cluster.Silos.Skip(1)];
        // A grain tends to live where it is called first.
        var holders = bench.LeaseClients(cluster.Silos, Leases, "takeover/", "holder", Ttl);
        var waiters = bench.LeaseClients(others, Leases, "takeover/", "waiter", Ttl);
        bench.Loop.Run(MeasureAsync, Limit);

        async Task MeasureAsync()
        {
            var info = await bench.Own(new HttpConnection(bench.Loop, others[0].Port)).GetAsync("/v1/info");
            var grace = TimeSpan.FromMilliseconds(info.Number("\"graceMs\":"u8));

            // Renewed once: the stored horizon is further away than the deadline, and that is what a silo leaves behind.
            var deadlines = new TimeSpan[Leases];
            var tokens = new long[Leases];
            for (var name = 0; name < Leases; name++)
            {
                tokens[name] = (await holders[name].AcquireAsync(name)).Token;
                var sent = Clock.Now;
                var renewed = await holders[name].RenewAsync(name, tokens[name]);
                deadlines[name] = sent + renewed.Elapsed + renewed.Remaining;
            }

            var waiting = Enumerable.Range(0, Leases).Select(WaitAsync).ToArray();
            await bench.Loop.WaitAsync(UntilWaiting);
            var killed = Clock.Now;
            cluster.Kill(victim);
            await bench.Loop.WhenAll(waiting);
            Tell(bench, [.. waiting.Select(one => one.Result)], killed, grace);

            async Task<Taken> WaitAsync(int name)
            {
                var (grant, unknown) = await waiters[name].WaitThroughLossAsync(name, bench.Loop);
                var taken = new Taken(Clock.Now, deadlines[name], unknown);
                if (taken.At < taken.Deadline)
                    throw new BenchException(
                        $"A waiter was granted a lease {(taken.Deadline - taken.At).TotalMilliseconds:0} ms before its holder's deadline.");
                if (grant.Token <= tokens[name])
                    throw new BenchException($"Token {grant.Token} was granted after token {tokens[name]}.");
                return taken;
            }
        }
    }

    private static void Tell(Bench bench, Taken[] all, TimeSpan killed, TimeSpan grace)
    {
        // Who waited for a lease of the silo that died is told that the outcome is unknown, and asks again.
        var orphans = all.Where(taken => taken.Unknown > 0).ToArray();
        var rest = all.Where(taken => taken.Unknown == 0).ToArray();
        AddRow("leases of the silos that live", rest);
        AddRow("leases of the silo killed", orphans);
        bench.Report.Add(new Verdict(Scenario, $"leases of the silo killed, of {Leases}", orphans.Length, ""));
        if (orphans.Length == 0)
            return;
        var last = orphans.MaxBy(taken => taken.At)!;
        bench.Report.Add(
            new Verdict(
                Scenario, "kill -9 to the last hand-over, against ttl + grace", (last.At - killed).TotalSeconds, "s",
                LessThan: (Ttl + grace).TotalSeconds));
        bench.Report.Add(new Verdict(
            Scenario, "after its deadline at the latest, against grace", orphans.Max(taken => (taken.At - taken.Deadline).TotalSeconds),
            "s", LessThan: grace.TotalSeconds));

        void AddRow(string what, Taken[] some)
        {
            var sinceKill = new Samples();
            foreach (var taken in some)
                sinceKill.Add(taken.At - killed);
            bench.Report.Add(
                new Row(Scenario, $"{what}, since the kill", "hand-overs", some.Length)
                {
                    MedianMs = sinceKill.Median, P99Ms = sinceKill.Percentile(0.99),
                });
        }
    }

    private sealed record Taken(TimeSpan At, TimeSpan Deadline, int Unknown);
}
