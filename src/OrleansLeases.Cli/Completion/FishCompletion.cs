using System.Globalization;
using System.Text;

namespace OrleansLeases.Cli.Completion;

/// <summary>The script for fish.</summary>
internal static class FishCompletion
{
    private const string Script = """
        # fish completion for leases. Put it into ~/.config/fish/completions/leases.fish, or: leases completion fish | source

        # The verb that the command line has so far, and the place of the argument that comes next: key put/1
        function __leases_place
            set -l words (commandline -opc)
            set -l verb ''
            set -l option ''
            set -l place 1
            for word in $words[2..-1]
                if test -n "$option"
                    set option ''
                else if test "$word" = --
                    set place command
                    break
                else if string match -q -- '-*' "$word"
                    contains -- "$word" @VALUED@; and set option "$word"
                else if contains -- (string trim -- "$verb $word") @VERBS@
                    set verb (string trim -- "$verb $word")
                else
                    set place (math $place + 1)
                end
            end
            echo "$verb/$place"
        end

        function __leases_at
            test (__leases_place) = "$argv[1]"
        end

        function __leases_in
            string match -q -- "$argv[1]/*" (__leases_place)
        end

        function __leases_names
            set -l words (commandline -opc)
            set -l to
            for i in (seq (count $words))
                contains -- "$words[$i]" @CONNECTION@; and set -a to $words[$i] $words[(math $i + 1)]
            end
            $words[1] __names --timeout 1s $to $argv[1] -- (commandline -ct) </dev/null 2>/dev/null
        end

        complete -c leases -f
        complete -c leases -n '__leases_at run/command' -F -a '(__fish_complete_command)'
        @PLACES@
        """;

    public static string Write(IReadOnlyList<CompletedVerb> verbs)
    {
        var places = new StringBuilder();
        foreach (var verb in verbs)
        {
            foreach (var below in verb.Verbs)
                Add($"-n {At(verb.Path, "1")} -a {below.Name} -d {Described(below.Description)}");
            foreach (var (i, argument) in verb.Arguments.Index())
                Add($"-n {At(verb.Path, (i + 1).ToString(CultureInfo.InvariantCulture))} {PlaceOf(argument, verbs)}");
            foreach (var option in verb.Options) Add($"-n {In(verb.Path)} {Of(option, verbs)}");
        }

        var valued =
            verbs.SelectMany(verb => verb.Options).Where(option => option.Value is not null)
                .SelectMany(option => new[] { option.Name, option.Short }).OfType<string>().Distinct();
        return Script
            .Replace("@VALUED@", string.Join(' ', valued), StringComparison.Ordinal)
            .Replace(
                "@VERBS@", string.Join(' ', verbs.Skip(1).Select(verb => ShellNames.Quote(verb.Path))), StringComparison.Ordinal)
            .Replace("@CONNECTION@", string.Join(' ', ShellNames.Connection), StringComparison.Ordinal)
            .Replace("@PLACES@", places.ToString().TrimEnd('\n'), StringComparison.Ordinal) + "\n";

        void Add(string line) => places.Append("complete -c leases ").Append(line.TrimEnd()).Append('\n');
    }

    private static string Of(CompletedOption option, IReadOnlyList<CompletedVerb> verbs) =>
        $"-l {option.Name.TrimStart('-')}{(option.Short is null ? "" : $" -s {option.Short[1]}")} -d {Described(option.Description)}"
            + $"{(option.Value is null ? "" : $" -r {PlaceOf(option.Value, verbs)}")}";

    private static string At(string verb, string place) => $"'__leases_at \"{verb}/{place}\"'";

    private static string In(string verb) => $"'__leases_in \"{verb}\"'";

    private static string Described(string? description) => ShellNames.Quote(ShellNames.FirstSentence(description ?? ""));

    private static string PlaceOf(Candidates candidates, IReadOnlyList<CompletedVerb> verbs) => candidates.Kind switch
    {
        CandidateKind.Words => $"-f -a '{string.Join(' ', candidates.Words)}'",
        CandidateKind.Resources => "-f -a '(__leases_names resource)'",
        CandidateKind.Keys => "-f -a '(__leases_names key)'",
        CandidateKind.Contexts => "-f -a '(__leases_names context)'",
        CandidateKind.Files => "-F",
        CandidateKind.Folders => "-f -a '(__fish_complete_directories)'",
        CandidateKind.Verbs => $"-f -a '{string.Join(' ', verbs[0].Verbs.Select(verb => verb.Name))}'",
        _ => "-f",
    };
}
