using OrleansLeases.Bench.Driving;

namespace OrleansLeases.Bench.Measuring;

// The same rounds for every load, turn and turn about, so that a drift of the machine meets all of them.
internal sealed class Rounds
{
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PrepareLimit = TimeSpan.FromMinutes(5);

    private readonly Dictionary<Load, List<Round>> _rounds = [];

    public static Rounds Run(EventLoop loop, Options options, params Load[] loads) => Run(loop, options, WarmUp, loads);

    public static Rounds Run(EventLoop loop, Options options, TimeSpan warmUp, params Load[] loads)
    {
        var all = new Rounds();
        foreach (var load in loads)
        {
            all._rounds[load] = [];
            loop.Run(load.PrepareAsync, PrepareLimit);
            loop.Run(load.BeginRoundAsync, PrepareLimit);
            ClosedLoop.Run(loop, load, warmUp);
        }

        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var load in round % 2 == 0 ? loads : loads.Reverse())
            {
                loop.Run(load.BeginRoundAsync, PrepareLimit);
                all._rounds[load].Add(ClosedLoop.Run(loop, load, options.RoundTime));
            }
        }

        return all;
    }

    // The median of the rounds' ratios: each compares neighbours in time.
    public double Ratio(Load load, Load to) =>
        Samples.MedianOf(_rounds[load].Zip(_rounds[to], (one, other) => one.Rate / other.Rate));

    // Processor time of the server for one operation.
    public double ServerSeconds(Load load) => Samples.MedianOf(_rounds[load].Select(round => round.Cpu.Server / round.Operations));

    public void AddRows(Report report, string scenario, string unit)
    {
        foreach (var load in _rounds.Keys)
            report.Add(Row.MedianOf(_rounds[load], scenario, load.Row, unit));
    }
}
