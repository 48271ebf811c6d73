using System.CommandLine;
using System.CommandLine.Invocation;
using OrleansLeases.Cli.Commands;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli;

/// <summary>Runs a command line.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args, TextWriter results, TextWriter diagnostics)
    {
        var root = CommandTree.Create();
        args = Credential.TakeFrom(args);
        var parsed = Parse(root, args);
        if (args.Length == 0)
        {
            root.Parse("--help").Invoke(new InvocationConfiguration { Output = diagnostics });
            return ExitCode.WrongUsage;
        }

        if (UsageErrors.Of(parsed) is { Count: > 0 } errors)
        {
            UsageErrors.Print(errors, parsed.CommandResult, diagnostics);
            return ExitCode.WrongUsage;
        }

        try
        {
            // Ctrl-C ends a client verb at once; the server sees the connection close and takes it out of the queue.
            return await parsed.InvokeAsync(
                new InvocationConfiguration
                {
                    EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = results, Error = diagnostics,
                });
        }
        catch (UsageException e)
        {
            diagnostics.WriteLine($"leases: {TerminalText.Sentence(e.Message)}");
            return ExitCode.WrongUsage;
        }
    }

    // A name or an argument of `run` may start with '@'; it is not the name of a file with more arguments.
    public static ParseResult Parse(RootCommand root, IReadOnlyList<string> args) =>
        root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
}
