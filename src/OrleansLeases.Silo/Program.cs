using System.CommandLine;
using System.CommandLine.Invocation;
using OrleansLeases;
using OrleansLeases.Grains;
using OrleansLeases.Silo;

const int WrongUsage = 2;

var config = new Option<string>("--config", "-c")
{
    Description = "The configuration file; environment variables LEASES_… override it.",
    DefaultValueFactory = _ => Path.Combine(AppContext.BaseDirectory, "silo-config", "development.json"),
    Recursive = true,
};

var grant = new Option<string>("--grant")
{
    Description = "A role that silos run as, such as leases_silo: it gets the rights that they need, and none to change the schema.",
    HelpName = "ROLE",
};
var logFormat = new Option<string?>("--log-format")
{
    Description = "How the log on stderr is written, whatever the configuration says: text or json.",
};
logFormat.Validators.Add(result =>
{
    if (result.GetValueOrDefault<string?>() is { } format && ServerLog.ProblemOf(format) is { } problem)
        result.AddError($"--log-format {problem}");
});

var migrate = new Command(
    "migrate", "Brings the database to the schema of leases. May be run again at any time; those that run at once wait for each other.")
{
    grant,
};
migrate.SetAction((parsed, cancellation) => RunAsync(parsed, cancellation, async settings =>
{
    await LeaseSchema.MigrateAsync(DatabaseOf(settings), cancellation);
    Console.WriteLine($"The database has lease schema {LeaseSchema.Version}.");
    if (parsed.GetValue(grant) is { } role)
    {
        await LeaseSchema.GrantAsync(DatabaseOf(settings), role, cancellation);
        Console.WriteLine($"The role '{role}' may do what silos do.");
    }

    return 0;
}));

var show = new Command("show", "Shows the restore epoch.");
show.SetAction((parsed, cancellation) => RunAsync(parsed, cancellation, async settings =>
{
    Console.WriteLine(await LeaseSchema.EpochAsync(DatabaseOf(settings), cancellation));
    return 0;
}));

var bump = new Command(
    "bump", "Makes every later token larger than any before. Run it with all silos stopped, after a backup was restored.");
bump.SetAction((parsed, cancellation) => RunAsync(parsed, cancellation, async settings =>
{
    Console.WriteLine(await LeaseSchema.BumpEpochAsync(DatabaseOf(settings), cancellation));
    return 0;
}));

var health = new Command(
    "health",
    "Asks the gateway that runs with this configuration on this machine whether it is ready. The exit code is 0 where it is, 1 where not.");
health.SetAction((parsed, cancellation) => RunAsync(parsed, cancellation, settings => HealthProbe.RunAsync(settings, cancellation)));

var root = new RootCommand("A silo of a cluster of leases, with the HTTP gateway in it.")
{
    config, logFormat, migrate, health, new Command("epoch", "The restore epoch: the high bits of every token.") { show, bump },
};
root.SetAction((parsed, cancellation) => RunAsync(parsed, cancellation, settings =>
{
    settings.Log.Format = parsed.GetValue(logFormat) ?? settings.Log.Format;
    return SiloHost.RunAsync(settings, cancellation);
}));
var parsed = root.Parse(args);
if (parsed.Action is ParseErrorAction && parsed.Errors.Count > 0)
{
    var commands = root.Subcommands.Select(command => command.Name);
    foreach (var error in parsed.Errors) Console.Error.WriteLine($"leases-silo: {error.Message}");
    Console.Error.WriteLine($"It takes one of {string.Join(", ", commands)}, or none to serve. See `leases-silo --help`.");
    return WrongUsage;
}

return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });

async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation, Func<SiloSettings, Task<int>> action)
{
    try
    {
        return await action(SiloSettings.Read(parsed.GetValue(config)!));
    }
    catch (Exception error) when (SiloHost.IsPlain(error))
    {
        Console.Error.WriteLine($"leases-silo: {error.GetBaseException().Message}");
        return 1;
    }
}

static string DatabaseOf(SiloSettings settings) => settings.Postgres.ConnectionString
    ?? throw new SettingsException(
        "No database is configured; set LEASES_Postgres__ConnectionString, or Postgres:ConnectionString in the file that --config names.");
