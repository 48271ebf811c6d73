using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

/// <summary>Says what is wrong with a command line.</summary>
internal static class UsageErrors
{
    /// <summary>What is wrong, each in a sentence; nothing where it can be run.</summary>
    public static IReadOnlyList<string> Of(ParseResult parsed)
    {
        string[] misread = [.. parsed.Action is ParseErrorAction or not SynchronousCommandLineAction ? TakenForArguments(parsed) : []];
        if (misread.Length > 0) return misread;
        if (parsed.Action is not ParseErrorAction || parsed.Errors.Count == 0) return [];
        var command = parsed.CommandResult;
        string[] unknown = [.. Unknown(parsed)];
        return unknown.Length > 0 && command.Command.Subcommands.Count > 0 ? unknown
            :
            [
                .. Missing(command).Concat(unknown).Concat(
                    parsed.Errors.Where(error => !IsOfMissing(error, command) && !IsOfUnknown(error)).Select(error => error.Message))
                    .Distinct(),
            ];
    }

    public static void Print(IReadOnlyList<string> errors, CommandResult command, TextWriter writer)
    {
        foreach (var error in errors) writer.WriteLine($"leases: {TerminalText.Sentence(error)}");
        writer.WriteLine($"See `{CommandLine(command)} --help`.");
    }

    /// <summary>That there is no such verb, and which there are.</summary>
    public static string NoSuchVerb(string word, Command command, string commandLine)
    {
        string[] verbs = [.. command.Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name)];
        return DidYouMean.Of(word, verbs) is { } likely
            ? $"'{word}' is no verb of `{commandLine}`; did you mean {likely}?"
            : $"'{word}' is no verb of `{commandLine}`, which takes one of {VerbsOf(command)}.";
    }

    private static string CommandLine(CommandResult command) =>
        command.Parent is CommandResult parent ? $"{CommandLine(parent)} {command.Command.Name}" : "leases";

    // The parser takes an option that it does not know for a name, and would ask the server for that.
    private static IEnumerable<string> TakenForArguments(ParseResult parsed)
    {
        var command = parsed.CommandResult;
        var end = parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).ToArray();
        return
            from argument in command.Command.Arguments
            from token in command.GetResult(argument)?.Tokens ?? []
            where LooksLikeAnOption(token.Value) && end.Any(before => ReferenceEquals(before, token))
            select $"{NoSuchOption(token.Value, command)} For {argument.Name} to begin with -, put -- before it.";
    }

    private static bool LooksLikeAnOption(string word) => word.Length > 1 && word[0] == '-' && !char.IsAsciiDigit(word[1]);

    private static string NoSuchOption(string word, CommandResult command)
    {
        var name = word.Split('=')[0];
        var options = Enclosing(command).SelectMany(
            (enclosing, distance) => enclosing.Command.Options.Where(option => !option.Hidden && (distance == 0 || option.Recursive)));
        var likely = DidYouMean.Of(name, [.. options.Select(option => option.Name)]);
        return $"'{name}' is no option of `{CommandLine(command)}`{(likely is null ? "." : $"; did you mean {likely}?")}";
    }

    private static IEnumerable<CommandResult> Enclosing(CommandResult command)
    {
        for (var result = command; result is not null; result = result.Parent as CommandResult) yield return result;
    }

    private static IEnumerable<string> Unknown(ParseResult parsed)
    {
        var command = parsed.CommandResult;
        string[] options = [.. parsed.UnmatchedTokens.Where(LooksLikeAnOption)];
        // What follows an unknown option is likely its value, and the options of an unknown verb are not known either.
        if (options.Length > 0 && (command.Command.Subcommands.Count == 0 || options.Length == parsed.UnmatchedTokens.Count))
            return options.Select(option => NoSuchOption(option, command));
        return parsed.UnmatchedTokens.Where(word => !LooksLikeAnOption(word)).Take(1).Select(word => command.Command.Subcommands.Count > 0
            ? NoSuchVerb(word, command.Command, CommandLine(command))
            : $"'{word}' is one argument too many: `{Usage(command)}`. A value of several words is quoted.");
    }

    private static string Usage(CommandResult command) =>
        string.Join(' ', command.Command.Arguments.Select(argument => argument.Name).Prepend(CommandLine(command)));

    private static IEnumerable<string> Missing(CommandResult command)
    {
        var line = CommandLine(command);
        if (command.Command is { Action: null, Subcommands.Count: > 0 }) yield return $"{line} takes one of {VerbsOf(command.Command)}.";
        string[] missing = [.. command.Command.Arguments.Where(argument => IsMissing(command, argument)).Select(argument => argument.Name)];
        if (missing.Length == 0) yield break;
        var all = string.Join(' ', command.Command.Arguments.Select(argument => argument.Name));
        yield return $"{line} takes {all}; {string.Join(" and ", missing)} {(missing.Length == 1 ? "is" : "are")} missing.";
    }

    private static string VerbsOf(Command command) =>
        string.Join(", ", command.Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name));

    private static bool IsMissing(CommandResult command, Argument argument) =>
        argument.Arity.MinimumNumberOfValues > 0 && command.GetResult(argument) is not { Tokens.Count: > 0 };

    // The parser's own words name neither the command nor what it takes.
    private static bool IsOfUnknown(ParseError error) =>
        error.SymbolResult is CommandResult && error.Message.StartsWith("Unrecognized command or argument", StringComparison.Ordinal);

    // The parser's own words name neither the argument nor the subcommands.
    private static bool IsOfMissing(ParseError error, CommandResult command) => error.SymbolResult switch
    {
        ArgumentResult { Parent: CommandResult } argument => IsMissing(command, argument.Argument),
        CommandResult verb => verb.Command is { Action: null, Subcommands.Count: > 0 } && verb.Tokens.Count == 0
            || verb.Command.Arguments.Any(argument => IsMissing(verb, argument)),
        _ => false,
    };
}
