using System.CommandLine;

namespace OrleansLeases.Cli.Commands;

/// <summary><c>leases help VERB</c>: what <c>leases VERB --help</c> prints.</summary>
internal sealed class HelpVerb : Verb
{
    private readonly Argument<string[]> _verbs = new("VERB") { Description = "Of which verb.", Arity = ArgumentArity.ZeroOrMore };

    public HelpVerb()
        : base("help", "Show how a verb is used.", "leases help acquire", "leases help key put")
    {
        Arguments.Add(_verbs);
        SetAction(Print);
    }

    private int Print(ParseResult parsed)
    {
        var (command, line) = (parsed.RootCommandResult.Command, "leases");
        var verbs = parsed.GetValue(_verbs) ?? [];
        foreach (var verb in verbs)
        {
            command = command.Subcommands.FirstOrDefault(known => known.Name == verb)
                ?? throw new UsageException(UsageErrors.NoSuchVerb(verb, command, line));
            line += $" {verb}";
        }

        var root = (RootCommand)parsed.RootCommandResult.Command;
        return CommandLine.Parse(root, [.. verbs, "--help"]).Invoke(parsed.InvocationConfiguration);
    }
}
