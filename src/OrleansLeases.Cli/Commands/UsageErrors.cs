using System.CommandLine;
using System.CommandLine.Parsing;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

/// <summary>Says what is wrong with a command line.</summary>
internal static class UsageErrors
{
    public static void Print(ParseResult parsed, TextWriter writer)
    {
        var command = parsed.CommandResult;
        string[] errors =
            [.. Missing(command), .. parsed.Errors.Where(error => !IsOfMissing(error, command)).Select(error => error.Message)];
        foreach (var error in errors.Distinct()) writer.WriteLine($"leases: {TerminalText.Sentence(error)}");
        writer.WriteLine($"See `{CommandLine(command)} --help`.");
    }

    private static string CommandLine(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{CommandLine(parent)} {command.Command.Name}" : "leases";

    private static IEnumerable<string> Missing(CommandResult command)
    {
        if (command.Command is { Action: null, Subcommands.Count: > 0 })
            yield return $"{CommandLine(command)} takes one of {string.Join(
                ", ", command.Command.Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name))}.";
        string[] missing = [.. command.Command.Arguments.Where(argument => IsMissing(command, argument)).Select(argument => argument.Name)];
        if (missing.Length > 0)
            yield return $"{CommandLine(command)} takes {string.Join(
                ' ', command.Command.Arguments.Select(argument => argument.Name))}; {string.Join(" and ",
                    missing)} {(missing.Length == 1 ? "is" : "are")} missing.";
    }

    private static bool IsMissing(CommandResult command, Argument argument) =>
        argument.Arity.MinimumNumberOfValues > 0 && command.GetResult(argument) is not { Tokens.Count: > 0 };

    // The parser's own words name neither the argument nor the subcommands.
    private static bool IsOfMissing(ParseError error, CommandResult command) => error.SymbolResult switch
    {
        ArgumentResult { Parent: CommandResult } argument => IsMissing(command, argument.Argument),
        CommandResult verb => verb.Command is { Action: null, Subcommands.Count: > 0 } && verb.Tokens.Count == 0
            || verb.Command.Arguments.Any(argument => IsMissing(verb, argument)),
        _ => false,
    };
}
