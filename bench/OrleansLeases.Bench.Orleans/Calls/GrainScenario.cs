using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Orleans.Calls;

// Renewals that stay in memory, and changes that are stored.
internal static class GrainScenario
{
    private const double RenewalTarget = 50_000;
    private const double AcquireTarget = 3_000;

    public static async Task InSiloAsync(Settings settings, Action<Finding> tell)
    {
        using var silo = await Access.StartSiloAsync(settings);
        await MeasureAsync(settings, $"inside a silo, {settings.Storage}", Access.CallsOf(silo), RenewalTarget, tell);
        await silo.StopAsync();
    }

    public static async Task FromClientAsync(Settings settings, Action<Finding> tell)
    {
        using var client = await Access.ConnectAsync(settings);
        await MeasureAsync(settings, $"client of a silo, {settings.Storage}", Access.CallsOf(client), null, tell);
        await client.StopAsync();
    }

    private static async Task MeasureAsync(
        Settings settings, string scenario, ILeaseCalls[] ways, double? renewalTarget, Action<Finding> tell)
    {
        // Memory is no durable store; its rows say what is left when the store costs nothing.
        double? acquireTarget = settings.Storage == "memory" ? null : AcquireTarget;
        (CallerLoad Load, string Unit, double? Target)[] loads =
        [
            .. ways.Select(way => ((CallerLoad)new Renewals(way, settings.Callers), "renewals/s", renewalTarget)),
            (new Cycles(ways[0], settings.Callers), "cycles/s", acquireTarget),
            (new FirstAcquires(ways[0], settings.Callers), "acquires/s", acquireTarget),
        ];
        var server = new Processes(settings.SiloProcess, settings.DatabaseProcess);
        var rounds = new CallerRounds(_ => server, settings.RoundTime, settings.Rounds, settings.Only);
        await rounds.RunAsync(loads.Select(one => one.Load));
        foreach (var (load, unit, target) in loads.Where(one => rounds.Has(one.Load)))
        {
            var row = rounds.RowOf(load, scenario, unit);
            tell(new Finding(Row: row));
            tell(new Finding(Verdict: new Verdict(scenario, load.Row, row.Value, unit, target)));
        }
    }
}
