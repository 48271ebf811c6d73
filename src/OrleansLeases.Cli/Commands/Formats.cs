using System.CommandLine;
using System.CommandLine.Parsing;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

/// <summary>The options of a verb that say how its result is printed; <c>--json</c> is one of every verb.</summary>
internal sealed class Formats
{
    private readonly Option<OutputFormat?> _output;
    private readonly Option<bool>? _quiet;

    /// <summary>Makes the options.</summary>
    /// <param name="alone">What is printed alone with <c>--quiet</c>; null where there is no such thing.</param>
    /// <param name="isWide">Whether there is more to print than fits most screens.</param>
    public Formats(string? alone = null, bool isWide = false)
    {
        string[] words = ["json", "yaml", .. new[] { alone is null ? null : "name", isWide ? "wide" : null }.OfType<string>()];
        if (alone is not null) _quiet = new("--quiet", "-q") { Description = $"Print {alone} alone, for scripts." };
        _output = new("--output", "-o")
        {
            Description = alone is null ? "As --json, or the same as YAML."
                : isWide ? "As --json, the same as YAML, as --quiet, or with all columns."
                : "As --json, the same as YAML, or as --quiet.",
            HelpName = string.Join('|', words),
            CustomParser = result =>
            {
                var word = result.Tokens[0].Value;
                if (words.Contains(word)) return Enum.Parse<OutputFormat>(word, ignoreCase: true);
                result.AddError($"--output is '{word}'; it takes {string.Join(", ", words)}.");
                return null;
            },
        };
    }

    public void AddTo(Command command)
    {
        Option[] own = _quiet is null ? [_output] : [_quiet, _output];
        foreach (var option in own) command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (own.Append(GlobalOptions.Json).Count(option => result.GetResult(option) is { Implicit: false }) > 1)
                result.AddError($"Only one of --output{(_quiet is null ? "" : ", --quiet")} and --json.");
        });
    }

    /// <summary>How the command line wants it.</summary>
    public OutputFormat Of(ParseResult parsed) =>
        _quiet is not null && parsed.GetValue(_quiet) ? OutputFormat.Name : parsed.GetValue(_output) ?? OutputFormat.Text;
}
