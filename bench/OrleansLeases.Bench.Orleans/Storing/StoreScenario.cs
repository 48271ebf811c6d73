using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;

namespace OrleansLeases.Bench.Orleans.Storing;

// As many rows on their way at once, one a transaction or many.
internal static class StoreScenario
{
    private const string Scenario = "batching";
    private const string Unit = "rows/s";

    public static async Task RunAsync(Settings settings, Action<Finding> tell)
    {
        var database = settings.ConnectionString ?? throw new BenchException("batching needs --postgres");
        var record = await StoredRecord.TakeAsync(settings);
        tell(new Finding(Note: $"a row takes {record.Granted.Length} bytes when granted, {record.Released.Length} when released"));
        var few = Math.Max(1, settings.Callers / WriterLoad.Rows);
        var singles = new[] { 1, few, 16, settings.Callers }.Distinct().Select(
            connections => new SingleWrites(connections, database, record)).ToArray();
        var batches = new[] { 1, few }.Distinct().Select(connections => new BatchWrites(connections, database, record)).ToArray();
        WriterLoad[] loads = [.. singles, .. batches];
        try
        {
            var server = new DatabaseProcess(settings.DatabaseProcess);
            var rounds = new CallerRounds(_ => server, settings.RoundTime, settings.Rounds, settings.Only);
            await rounds.RunAsync(loads);
            foreach (var load in loads.Where(rounds.Has))
                tell(new Finding(Row: rounds.RowOf(load, Scenario, Unit)));
            foreach (var batch in batches.Where(batch => rounds.Has(batch) && rounds.Has(singles[^1])))
                tell(
                    new Finding(
                        Verdict: new Verdict(Scenario, $"{batch.Row} against {singles[^1].Row}", rounds.Ratio(batch, singles[^1]), "×")));
        }
        finally
        {
            foreach (var load in loads)
                await load.DisposeAsync();
        }
    }
}
