using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;
using OrleansLeases.Bench.Orleans;
using OrleansLeases.Bench.Orleans.Calls;
using OrleansLeases.Bench.Orleans.Storing;

// Standard output is the driver's: a finding a line.
try
{
    var settings = Settings.Parse(args);
    await (settings.Command switch
    {
        "silo" => GrainScenario.InSiloAsync(settings, Tell),
        "client" => GrainScenario.FromClientAsync(settings, Tell),
        "storage" => StorageComparison.RunAsync(settings, Tell),
        "batching" => StoreScenario.RunAsync(settings, Tell),
        _ => throw new BenchException($"unknown command {settings.Command}"),
    });
    return 0;
}
catch (BenchException error)
{
    await Console.Error.WriteLineAsync(error.Message);
    return 1;
}
catch (Exception error)
{
    await Console.Error.WriteLineAsync(error.ToString());
    return 1;
}

static void Tell(Finding finding) => Console.WriteLine(finding.ToLine());
