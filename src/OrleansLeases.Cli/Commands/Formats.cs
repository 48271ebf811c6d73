using System.CommandLine;
using System.CommandLine.Parsing;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

/// <summary>The options of a verb that say how its result is printed; <c>--json</c> is one of every verb.</summary>
internal sealed class Formats
{
    private readonly Option<OutputFormat?> _output;
    private readonly Option<bool> _quiet;

    /// <summary>Makes the options.</summary>
    /// <param name="alone">What is printed alone with <c>--quiet</c>.</param>
    /// <param name="isWide">Whether there is more to print than fits most screens.</param>
    public Formats(string alone, bool isWide = false)
    {
        var words = isWide ? "json|name|wide" : "json|name";
        _quiet = new("--quiet", "-q") { Description = $"Print {alone} alone, for scripts." };
        _output = new("--output", "-o")
        {
            Description = isWide ? "As --json, as --quiet, or with all columns." : "As --json, or as --quiet.",
            HelpName = words,
            CustomParser = result =>
            {
                var word = result.Tokens[0].Value;
                if (words.Split('|').Contains(word)) return Enum.Parse<OutputFormat>(word, ignoreCase: true);
                result.AddError($"--output is '{word}'; it takes {string.Join(", ", words.Split('|'))}.");
                return null;
            },
        };
    }

    public void AddTo(Command command)
    {
        command.Options.Add(_quiet);
        command.Options.Add(_output);
        command.Validators.Add(result =>
        {
            OptionResult?[] given = [result.GetResult(_output), result.GetResult(_quiet), result.GetResult(GlobalOptions.Json)];
            if (given.Count(option => option is { Implicit: false }) > 1) result.AddError("Only one of --output, --quiet and --json.");
        });
    }

    /// <summary>How the command line wants it.</summary>
    public OutputFormat Of(ParseResult parsed) =>
        parsed.GetValue(_quiet) ? OutputFormat.Name : parsed.GetValue(_output) ?? OutputFormat.Text;
}
