using System.CommandLine;
using System.Globalization;
using OrleansLeases.Cli.Commands;
using OrleansLeases.Testing.Packages;

namespace OrleansLeases.Cli.Tests;

/// <summary>The page of all verbs is made of the verbs.</summary>
public sealed class ReferenceTests
{
    private const string Accept = "LEASES_ACCEPT_REFERENCE";

    [Fact]
    public void Reference_IsThatOfTheCommand()
    {
        var path = Repository.PathOf("docs", "command-line-reference.md");
        var reference = Write();
        if (Environment.GetEnvironmentVariable(Accept) == "1") File.WriteAllText(path, reference);
        Assert.True(
            File.Exists(path) && File.ReadAllText(path) == reference,
            $"docs/command-line-reference.md is not that of the command; write it anew with {Accept}=1.");
    }

    private static string Write()
    {
        using var page = new StringWriter(CultureInfo.InvariantCulture) { NewLine = "\n" };
        var root = CommandTree.Create();
        page.WriteLine("# All verbs of `leases`");
        page.WriteLine();
        page.WriteLine($"Made of the command itself: `{Accept}=1 dotnet test tests/OrleansLeases.Cli.Tests --filter Reference`.");
        page.WriteLine("[How they are used](command-line.md).");
        page.WriteLine();
        page.WriteLine("Of every verb:");
        Options(page, root);
        foreach (var verb in root.Subcommands) Verb(page, verb, $"leases {verb.Name}");
        return page.ToString();
    }

    private static void Verb(StringWriter page, Command command, string line)
    {
        if (command.Hidden) return;
        page.WriteLine();
        page.WriteLine($"## {line}");
        page.WriteLine();
        page.WriteLine(command.Description);
        if (command.Subcommands.Count == 0)
        {
            var arguments = command.Arguments.Select(
                argument => argument.Arity.MinimumNumberOfValues == 0 ? $" [{argument.Name}]" : $" {argument.Name}");
            page.WriteLine();
            page.WriteLine($"`{line}{string.Concat(arguments)}{(command.Options.Count > 0 ? " [options]" : "")}`");
        }

        if (command is Verb { Details: { Count: > 0 } details })
        {
            page.WriteLine();
            foreach (var detail in details) page.WriteLine(detail);
        }

        Options(page, command);
        if (command is Verb { Examples: { Count: > 0 } examples } && command.Subcommands.Count == 0)
        {
            page.WriteLine();
            page.WriteLine("```");
            foreach (var example in examples) page.WriteLine(example);
            page.WriteLine("```");
        }

        foreach (var below in command.Subcommands) Verb(page, below, $"{line} {below.Name}");
    }

    private static void Options(StringWriter page, Command command)
    {
        var options = command.Options.Where(option => !option.Hidden)
            .Select(option => (Name: NameOf(option), Description: Described(option)));
        var rows = command.Arguments.Select(argument => (argument.Name, argument.Description)).Concat(options).ToList();
        if (rows.Count == 0) return;
        page.WriteLine();
        page.WriteLine("| | |");
        page.WriteLine("|---|---|");
        foreach (var (name, description) in rows)
            page.WriteLine($"| `{name.Replace("|", "\\|", StringComparison.Ordinal)}` | {description} |");
    }

    private static string NameOf(Option option)
    {
        var all = option.Aliases.Where(alias => alias is ['-', not '?']).Append(option.Name).Distinct().OrderBy(name => name.Length);
        var names = string.Join(", ", all);
        return option.HelpName is { } value ? $"{names} {value}" : names;
    }

    private static string? Described(Option option) =>
        option.HasDefaultValue && option.ValueType == typeof(string) && option.GetDefaultValue() is string { Length: > 0 } value
            ? $"{option.Description} [default: {value}]"
            : option.Required ? $"{option.Description} Required." : option.Description;
}
