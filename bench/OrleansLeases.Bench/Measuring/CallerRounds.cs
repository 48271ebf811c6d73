using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Hosts;

namespace OrleansLeases.Bench.Measuring;

// The same rounds for every load, turn and turn about. Every caller does one step after the other, and what it waits
// for its turn on the processors counts as time of the call.
internal sealed class CallerRounds(Func<CallerLoad, IServer> serverOf, TimeSpan roundTime, int rounds, string only = "")
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    private readonly Dictionary<CallerLoad, List<Round>> _rounds = [];

    public async Task RunAsync(IEnumerable<CallerLoad> all)
    {
        CallerLoad[] loads = [.. all.Where(load => load.Row.Contains(only, StringComparison.Ordinal))];
        foreach (var load in loads)
        {
            _rounds[load] = [];
            await load.PrepareAsync();
            await load.BeginRoundAsync();
            await RunAsync(load, WarmUp);
        }

        for (var round = 0; round < rounds; round++)
        {
            foreach (var load in round % 2 == 0 ? loads : loads.Reverse())
            {
                await load.BeginRoundAsync();
                _rounds[load].Add(await RunAsync(load, roundTime));
            }
        }
    }

    public bool Has(CallerLoad load) => _rounds.ContainsKey(load);

    public Row RowOf(CallerLoad load, string scenario, string unit) => Row.MedianOf(_rounds[load], scenario, load.Row, unit);

    public double Ratio(CallerLoad load, CallerLoad to) =>
        Samples.MedianOf(_rounds[load].Zip(_rounds[to], (one, other) => one.Rate / other.Rate));

    // Of what one of the two costs the database in each operation, to what the other does.
    public double DatabaseRatio(CallerLoad load, CallerLoad to) =>
        Samples.MedianOf(_rounds[load].Zip(_rounds[to], (one, other) => DatabaseCostOf(one) / DatabaseCostOf(other)));

    public double LatencyRatio(CallerLoad load, CallerLoad to) =>
        Samples.MedianOf(_rounds[load].Zip(_rounds[to], (one, other) => one.Latency.Median / other.Latency.Median));

    private static double DatabaseCostOf(Round round) => (round.Cpu.Database ?? double.NaN) / round.Operations;

    private async Task<Round> RunAsync(CallerLoad load, TimeSpan duration)
    {
        var before = CpuSeconds.Sample(serverOf(load));
        var end = Clock.Now + duration;
        var latencies =
            await Task.WhenAll(Enumerable.Range(0, load.Callers).Select(caller => Task.Run(() => CallAsync(load, caller, end))));
        var cpu = CpuSeconds.Sample(serverOf(load)) - before;
        var all = new Samples();
        foreach (var latency in latencies)
            all.Add(latency);
        return new Round((long)all.Count * load.OperationsPerStep, cpu, all);
    }

    private static async Task<Samples> CallAsync(CallerLoad load, int caller, TimeSpan end)
    {
        var latency = new Samples();
        for (var start = Clock.Now; start < end && load.HasMore(caller);)
        {
            await BehindOthers.Turn;
            await load.StepAsync(caller);
            var now = Clock.Now;
            latency.Add(now - start);
            start = now;
        }

        return latency;
    }
}
