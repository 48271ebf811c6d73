using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Bench.Measuring;
using OrleansLeases.Grains;

namespace OrleansLeases.Bench.Orleans.Calls;

// Two silos in this process on one database, one with each way that records get there, turn and turn about.
internal static class StorageComparison
{
    private const string Scenario = "inside a silo, both ways to PostgreSQL";
    private const double CyclesTarget = 8;
    private const double FirstAcquiresTarget = 5;
    private const double DatabaseTarget = 5;

    public static async Task RunAsync(Settings settings, Action<Finding> tell)
    {
        using var batches = await Access.StartSiloAsync(settings, PostgresStorage.GroupCommit);
        using var stock = await Access.StartSiloAsync(settings, PostgresStorage.AdoNet);
        ILeaseCalls[] ways =
        [
            new DirectCalls(batches.Services.GetRequiredService<IGrainFactory>(), way: nameof(PostgresStorage.GroupCommit)),
            new DirectCalls(stock.Services.GetRequiredService<IGrainFactory>(), way: nameof(PostgresStorage.AdoNet)),
        ];
        CallerLoad[] cycles = [.. ways.Select(way => new Cycles(way, settings.Callers))];
        CallerLoad[] first = [.. ways.Select(way => new FirstAcquires(way, settings.Callers))];
        CallerLoad[] lone = [.. ways.Select(way => new FirstAcquires(way, 1))];
        CallerLoad[] loneCycles = [.. ways.Select(way => new Cycles(way, 1))];
        var server = new Processes(settings.SiloProcess, settings.DatabaseProcess);
        var rounds = new CallerRounds(_ => server, settings.RoundTime, settings.Rounds, settings.Only);
        await rounds.RunAsync([.. cycles, .. first, .. loneCycles, .. lone]);

        foreach (var load in new[] { cycles, first, loneCycles, lone }.SelectMany(both => both).Where(rounds.Has))
            tell(new Finding(Row: rounds.RowOf(load, Scenario, load is Cycles ? "cycles/s" : "acquires/s")));
        Compare(cycles, CyclesTarget);
        Compare(first, FirstAcquiresTarget);
        Tell(loneCycles, both => 1 / rounds.LatencyRatio(both[0], both[1]), "how much sooner a lone caller's is done", 1);
        Tell(lone, both => 1 / rounds.LatencyRatio(both[0], both[1]), "how much sooner a lone caller's is done", 1);
        await batches.StopAsync();
        await stock.StopAsync();

        void Compare(CallerLoad[] both, double target)
        {
            Tell(both, both => rounds.Ratio(both[0], both[1]), "against the stock provider", target);
            Tell(both, both => 1 / rounds.DatabaseRatio(both[0], both[1]), "how much less of PostgreSQL's processor time", DatabaseTarget);
        }

        void Tell(CallerLoad[] both, Func<CallerLoad[], double> figure, string what, double target)
        {
            if (both.All(rounds.Has))
                tell(new Finding(Verdict: new Verdict(Scenario, $"{both[0].Row}, {what}", figure(both), "×", target)));
        }
    }
}
