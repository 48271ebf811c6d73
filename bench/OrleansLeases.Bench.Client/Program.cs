using OrleansLeases.Bench.Client;
using OrleansLeases.Bench.Client.Users;
using OrleansLeases.Bench.Driving;
using OrleansLeases.Bench.Measuring;

// Standard output is the driver's: a finding a line.
try
{
    var settings = Settings.Parse(args);
    await (settings.Command switch
    {
        "handles" => Handles.RunAsync(settings, Tell),
        "lost" => LostTokens.RunAsync(Tell),
        "keep" => KeepAlive.RunAsync(settings, Tell),
        "users" => UserScenario.OnOwnServersAsync(settings, Tell),
        "users-on-postgres" => UserScenario.OnPostgresAsync(settings, Tell),
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
