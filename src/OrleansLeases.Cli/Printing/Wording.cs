using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;

namespace OrleansLeases.Cli.Printing;

/// <summary>Says of the options of a command what a refusal says of the fields of a request.</summary>
internal sealed partial class Wording(Command command)
{
    /// <summary>What is wrong, an error a line.</summary>
    public IEnumerable<string> Of(Refusal.InvalidRequest refusal)
    {
        var errors = refusal.Errors.SelectMany(error => error.Value.Select(message => (Field: error.Key, Message: message))).ToArray();
        return errors switch
        {
            [] => [refusal.Detail],
            [var only] => [Say(only.Field, refusal.Detail)],
            _ => errors.Select(error => Say(error.Field, error.Message)),
        };
    }

    private string Say(string field, string message)
    {
        var text = field.EndsWith("Ms", StringComparison.Ordinal) ? Milliseconds().Replace(message, ToDurations) : message;
        return text.StartsWith(field, StringComparison.Ordinal) ? $"{NameOf(field)}{text[field.Length..]}" : $"{NameOf(field)}: {text}";
    }

    /// <summary>The option or argument for a field, or the field where the command has none for it.</summary>
    private string NameOf(string field)
    {
        var option = field switch
        {
            "newOwner" => "--to",
            "lease.resource" => "--lease",
            _ when field.StartsWith("metadata", StringComparison.Ordinal) => "--meta",
            _ =>
                $"--{Capital().Replace(
                    Unit().Replace(field[(field.LastIndexOf('.') + 1)..], ""), capital => $"-{capital.Value.ToLowerInvariant()}")}",
        };
        if (command.Options.Any(known => known.Name == option)) return option;
        return command.Arguments.FirstOrDefault(known => known.Name.Equals(field, StringComparison.OrdinalIgnoreCase))?.Name ?? field;
    }

    private static string ToDurations(Match match) =>
        $" is {Duration(match.Groups[1])}; it takes {Duration(match.Groups[2])} to {Duration(match.Groups[3])}";

    private static string Duration(Group milliseconds) =>
        Durations.Write(TimeSpan.FromMilliseconds(long.Parse(milliseconds.ValueSpan, CultureInfo.InvariantCulture)));

    [GeneratedRegex(" is ([0-9]{1,12}); it takes ([0-9]{1,12}) to ([0-9]{1,12}) milliseconds")]
    private static partial Regex Milliseconds();

    [GeneratedRegex("[A-Z]")]
    private static partial Regex Capital();

    [GeneratedRegex("Ms$")]
    private static partial Regex Unit();
}
