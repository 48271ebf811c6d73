using System.CommandLine;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

/// <summary>Says what is wrong with a command line.</summary>
internal static class UsageErrors
{
    /// <summary>What is wrong, each in a sentence; nothing where it can be run.</summary>
    public static IReadOnlyList<string> Of(ParseResult parsed)
    {
        var command = parsed.CommandResult;
        // Help and the version are shown whatever else is there.
        if (parsed.Action is not ParseErrorAction && parsed.Action != command.Command.Action) return [];
        string[] misread = [.. TakenForArguments(parsed), .. Empty(command)];
        if (misread.Length > 0) return misread;
        if (parsed.Action is not ParseErrorAction || parsed.Errors.Count == 0) return [];
        string[] unknown = [.. Unknown(parsed)];
        return unknown.Length > 0 && command.Command.Subcommands.Count > 0 ? unknown
            :
            [
                .. Missing(command).Concat(unknown).Concat(
                    parsed.Errors.Where(error => !IsOfMissing(error, command) && !IsOfUnknown(error)).Select(Words)).Distinct(),
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

    // As by a variable of a script that was not set: it would be the working directory, or no file at all.
    private static IEnumerable<string> Empty(CommandResult command)
    {
        var options =
            from enclosing in Enclosing(command)
            from option in enclosing.Command.Options
            select (option.Name, Kind: option.HelpName, Value: enclosing.GetResult(option)?.Tokens);
        var arguments =
            from argument in command.Command.Arguments
            select (argument.Name, Kind: (string?)argument.Name, Value: command.GetResult(argument)?.Tokens);
        return
            from input in options.Concat(arguments)
            let wanted = input.Kind switch { "FILE" => "a file", "DIR" => "a folder", "CONTEXT" => "a context", _ => null }
            where wanted is not null && input.Value is [{ Value: "" }, ..]
            select $"{input.Name} is empty; name {wanted}.";
    }

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
            : $"'{word}' is one argument too many: `{Usage(command)}`{Instead(word, command)}");
    }

    private static string Instead(string word, CommandResult command) =>
        command.Command.Arguments.Count == 0 && command.Command.Options.Any(option => option.Name == "--prefix")
            ? $"; did you mean --prefix {TerminalText.Quote(word)}?"
            : ". A value of several words is quoted.";

    private static string Usage(CommandResult command) =>
        string.Join(' ', command.Command.Arguments.Select(argument => argument.Name).Prepend(CommandLine(command)));

    private static IEnumerable<string> Missing(CommandResult command)
    {
        var line = CommandLine(command);
        if (command.Command is { Action: null, Subcommands.Count: > 0 }) yield return $"{line} takes one of {VerbsOf(command.Command)}.";
        string[] missing = [.. command.Command.Arguments.Where(argument => IsMissing(command, argument)).Select(argument => argument.Name)];
        if (missing.Length > 0)
        {
            var all = string.Join(' ', command.Command.Arguments.Select(argument => argument.Name));
            yield return $"{line} takes {all}; {string.Join(" and ", missing)} {(missing.Length == 1 ? "is" : "are")} missing.";
        }

        foreach (var option in command.Command.Options.Where(option => IsMissing(command, option)))
        {
            yield return option.Name == GlobalOptions.Credential.Name && Credential.IsGiven
                ? $"{option.Name} is no whole number, and so was taken for a credential; that of a lease is what `leases acquire` printed."
                : $"{line} takes {option.Name} {option.HelpName}, which is missing: {option.Description}";
        }
    }

    private static string VerbsOf(Command command) =>
        string.Join(", ", command.Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name));

    private static bool IsMissing(CommandResult command, Argument argument) =>
        argument.Arity.MinimumNumberOfValues > 0 && command.GetResult(argument) is not { Tokens.Count: > 0 };

    private static bool IsMissing(CommandResult command, Option option) =>
        option.Required && command.GetResult(option) is null or { Implicit: true };

    // The parser's own words do not say what the value is.
    private static string Words(ParseError error) =>
        error.SymbolResult is OptionResult { Tokens.Count: 0, Option: { HelpName: { } value, Name: var name } }
            ? $"{name} takes a value: {name} {value}." : error.Message;

    // The parser's own words name neither the command nor what it takes.
    private static bool IsOfUnknown(ParseError error) =>
        error.SymbolResult is CommandResult && error.Message.StartsWith("Unrecognized command or argument", StringComparison.Ordinal);

    // The parser's own words name neither the argument nor the subcommands, nor what an option is for.
    private static bool IsOfMissing(ParseError error, CommandResult command) => error.SymbolResult switch
    {
        ArgumentResult { Parent: CommandResult } argument => IsMissing(command, argument.Argument),
        OptionResult option => IsMissing(command, option.Option),
        CommandResult verb => verb.Command is { Action: null, Subcommands.Count: > 0 } && verb.Tokens.Count == 0
            || verb.Command.Arguments.Any(argument => IsMissing(verb, argument)),
        _ => false,
    };
}
