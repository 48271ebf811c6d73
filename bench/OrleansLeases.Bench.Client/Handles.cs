using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;
using OrleansLeases.Client;
using OrleansLeases.Embedded;

namespace OrleansLeases.Bench.Client;

// What a handle costs the process that holds it: a look at it, and getting it from the in-memory engine.
internal static class Handles
{
    private const string Scenario = "handles in one process";
    private const int Looks = 10_000;

    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(Settings settings, Action<Finding> tell)
    {
        await using var service = EmbeddedLeases.InMemory();
        await using var client = new LeaseClient(service);
        var nanoseconds = await LookAsync(client, settings);
        tell(new Finding(Row: new Row(Scenario, "IsValid", "ns", nanoseconds)));
        tell(new Finding(Verdict: new Verdict(Scenario, "IsValid", nanoseconds, "ns", LessThan: 50)));

        var acquires = new Samples();
        var total = new Samples();
        for (var end = Clock.Now + (settings.RoundTime * settings.Rounds); Clock.Now < end;)
        {
            var started = Clock.Now;
            var lease = await client.AcquireAsync("r");
            acquires.Add(Clock.Now - started);
            await lease.DisposeAsync();
            total.Add(Clock.Now - started);
        }

        tell(
            new Finding(
                Row: new Row(Scenario, "acquire, uncontended, in memory", "us", acquires.Median * 1_000)
                {
                    MedianMs = acquires.Median, P99Ms = acquires.Percentile(0.99),
                }));
        tell(
            new Finding(
                Row: new Row(Scenario, "the same and its release", "us", total.Median * 1_000)
                {
                    MedianMs = total.Median, P99Ms = total.Percentile(0.99),
                }));
        tell(new Finding(Verdict: new Verdict(Scenario, "acquire, uncontended, in memory", acquires.Median * 1_000, "us", LessThan: 5)));
    }

    private static async Task<double> LookAsync(LeaseClient client, Settings settings)
    {
        await using var lease = await client.AcquireAsync("looked-at");
        var rounds = new List<double>();
        for (var round = 0; round < 100 * settings.Rounds; round++)
        {
            var (started, valid) = (Clock.Now, 0);
            for (var i = 0; i < Looks; i++)
            {
                if (lease.IsValid(Margin))
                    valid++;
            }

            rounds.Add((Clock.Now - started).TotalNanoseconds / Looks);
            if (valid < Looks)
                throw new BenchException($"The lease was valid in {valid} of {Looks} looks.");
        }

        return Samples.MedianOf(rounds);
    }
}
