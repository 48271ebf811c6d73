using OrleansLeases.Cli;
using OrleansLeases.Cli.Printing;
using OrleansLeases.Cli.Running;

if (OperatingSystem.IsLinux() && args is [Guard.Verb, ..]) return await Guard.RunAsync(args);

// A job that is continued in the background; no verb has use for what the runtime does to a terminal.
if (OperatingSystem.IsLinux() && args.Contains("run")) Terminal.HideFromRuntime();

return await CommandLine.RunAsync(args, TerminalWriter.OfStandardOutput(), Console.Error);
