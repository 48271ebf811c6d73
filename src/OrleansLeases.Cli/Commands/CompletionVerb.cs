using System.CommandLine;
using OrleansLeases.Cli.Completion;

namespace OrleansLeases.Cli.Commands;

internal sealed class CompletionVerb : Verb
{
    private static readonly Dictionary<string, Func<IReadOnlyList<CompletedVerb>, string>> Shells = new()
    {
        ["bash"] = BashCompletion.Write, ["zsh"] = ZshCompletion.Write, ["fish"] = FishCompletion.Write,
    };

    private readonly Argument<string> _shell = new("SHELL") { HelpName = string.Join('|', Shells.Keys), Description = "For which shell." };

    public CompletionVerb()
        : base(
            "completion", "Print what makes a shell complete verbs, options and names.",
            "source <(leases completion bash)",
            "leases completion zsh > ~/.zfunc/_leases",
            "leases completion fish > ~/.config/fish/completions/leases.fish")
    {
        Details =
        [
            "bash: put the first example into ~/.bashrc, or the output into ~/.local/share/bash-completion/completions/leases.",
            "zsh: put the output as _leases into a folder of fpath, before compinit. Names of resources and keys come from the",
            "server that the command line or the environment names; verbs and options need none.",
        ];
        _shell.Validators.Add(result =>
        {
            var word = result.Tokens.Count == 0 ? "" : result.Tokens[0].Value;
            if (!Shells.ContainsKey(word)) result.AddError($"SHELL is '{word}'; it takes {string.Join(", ", Shells.Keys)}.");
        });
        Arguments.Add(_shell);
        SetAction(parsed =>
        {
            var verbs = CompletedVerb.AllOf(parsed.RootCommandResult.Command);
            parsed.InvocationConfiguration.Output.Write(Shells[parsed.GetRequiredValue(_shell)](verbs));
            return ExitCode.Done;
        });
    }
}
