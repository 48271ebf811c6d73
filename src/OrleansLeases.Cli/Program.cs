using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using OrleansLeases.Cli;
using OrleansLeases.Cli.Commands;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Cli.Running;

if (OperatingSystem.IsLinux() && args is [Guard.Verb, ..]) return await Guard.RunAsync(args);

// A job that is continued in the background; no verb has use for what the runtime does to a terminal.
if (OperatingSystem.IsLinux() && args.Contains("run")) Terminal.HideFromRuntime();

var root = new RootCommand("Leases: ownership of a named resource for a limited time, with fencing tokens.")
{
    new ServeVerb(),
    new AcquireVerb(),
    new RenewVerb(),
    new ReleaseVerb(),
    new TransferVerb(),
    new BreakVerb(),
    new GetVerb(),
    new ListVerb(),
    new HistoryVerb(),
    new WatchVerb(),
    new KeyVerb(),
    new CounterVerb(),
    new RunVerb(),
    new AuditVerb(),
    new EpochVerb(),
    new BackupVerb(),
    new RestoreVerb(),
    new TokenVerb(),
    new WhoAmIVerb(),
};
root.Options.Add(GlobalOptions.Server);
root.Options.Add(GlobalOptions.Json);
root.Options.Add(GlobalOptions.Credential);
root.Options.Add(GlobalOptions.Authority);
var help = root.Options.OfType<HelpOption>().Single();
help.Action = new ExamplesHelp((HelpAction)help.Action!);

args = Credential.TakeFrom(args);
// A name or an argument of `run` may start with '@'; it is not the name of a file with more arguments.
var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
if (args.Length == 0)
{
    root.Parse("--help").Invoke(new InvocationConfiguration { Output = Console.Error });
    return ExitCode.WrongUsage;
}

if (parsed.Action is ParseErrorAction && parsed.Errors.Count > 0)
{
    UsageErrors.Print(parsed, Console.Error);
    return ExitCode.WrongUsage;
}

try
{
    // Ctrl-C ends a client verb at once; the server sees the connection close and takes it out of the queue.
    return await parsed.InvokeAsync(
        new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
}
catch (UsageException e)
{
    Console.Error.WriteLine($"leases: {TerminalText.Sentence(e.Message)}");
    return ExitCode.WrongUsage;
}
