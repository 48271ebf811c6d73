using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;
using OrleansLeases.Client;
using OrleansLeases.Embedded;
using OrleansLeases.Testing;

namespace OrleansLeases.Bench.Client;

// How long after a holder's own deadline the callbacks of its lost token run, while renewals hang and the thread pool is starved.
internal static class LostTokens
{
    private const string Scenario = "lost tokens";
    private const int Leases = 500;
    private const int Blocked = 20_000;

    private static readonly TimeSpan Ttl = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Spread = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(Action<Finding> tell)
    {
        await using var service = EmbeddedLeases.InMemory();
        var client = new LeaseClient(new Hanging(service));
        var late = new Samples();
        using var told = new CountdownEvent(Leases);
        for (var i = 0; i < Leases; i++)
        {
            var lease = await client.AcquireAsync($"r{i}", new() { Ttl = Ttl + (Spread * i / Leases) });
            var end = Clock.Now + lease.Remaining;
            lease.LostToken.Register(() =>
            {
                lock (late)
                    late.Add(Clock.Now - end);
                told.Signal();
            });
        }

        var goOn = new ManualResetEventSlim();
        for (var i = 0; i < Blocked; i++)
            ThreadPool.UnsafeQueueUserWorkItem(_ => goOn.Wait(), null);
        if (!told.Wait(Limit))
            throw new BenchException($"{told.CurrentCount} leases were not said to be lost.");
        goOn.Set();

        var worst = late.Percentile(1);
        tell(
            new Finding(
                Row: new Row(Scenario, "hung renewals, starved pool", "ms at most", worst)
                {
                    MedianMs = late.Median, P99Ms = late.Percentile(0.99),
                }));
        tell(new Finding(Verdict: new Verdict(Scenario, "worst of 500, hung renewals, starved pool", worst, "ms", LessThan: 50)));
    }

    private sealed class Hanging(ILeaseService inner) : ForwardingLeases(inner)
    {
        public override ValueTask<LeaseResult<RenewBatchReply>> RenewBatchAsync(
            RenewBatchRequest request, CancellationToken cancellationToken = default) =>
            new(new TaskCompletionSource<LeaseResult<RenewBatchReply>>().Task);
    }
}
