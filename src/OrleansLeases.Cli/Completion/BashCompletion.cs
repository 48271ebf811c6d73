using System.Globalization;
using System.Text;

namespace OrleansLeases.Cli.Completion;

/// <summary>The script for bash.</summary>
internal static class BashCompletion
{
    // Bash splits words at : and = as well, so the words are taken from the line. Names of others are never put where the
    // shell expands what it reads, such as `compgen -W`.
    private const string Script = """
        # bash completion for leases. Load it with: source <(leases completion bash)

        # What may stand at a place of a verb: words, or @ and where to find them. Fails where nothing may.
        _leases_at() {
            case "$1/$2" in
        @PLACES@
                *) return 1 ;;
            esac
        }

        _leases() {
            local IFS=$' \t\n' line=${COMP_LINE:0:COMP_POINT} verb='' option='' place=1 last candidates word i
            local -a words to=()
            read -ra words <<<"$line"
            [[ $line == *[[:space:]] ]] && words+=('')
            last=${words[${#words[@]}-1]}
            for ((i = 1; i < ${#words[@]} - 1; i++)); do
                word=${words[i]}
                if [[ $option ]]; then
                    case $option in @CONNECTION@) to+=("$option" "$word") ;; esac
                    option=''
                elif [[ $word == -- ]]; then
                    COMPREPLY=()
                    if ((i == ${#words[@]} - 2)); then mapfile -t COMPREPLY < <(compgen -c -- "$last"); else compopt -o default; fi
                    return
                elif [[ $word == -* ]]; then
                    _leases_at "$verb" "$word" && option=$word
                elif _leases_at "$verb" verbs && [[ " $candidates " == *" $word "* ]]; then
                    verb=${verb:+$verb }$word
                else
                    ((place++))
                fi
            done

            if [[ $option ]]; then _leases_at "$verb" "$option"
            elif [[ $last == -* ]]; then _leases_at "$verb" options
            else _leases_at "$verb" verbs || _leases_at "$verb" "$place" || candidates=@unknown
            fi
            case $candidates in
                @unknown) COMPREPLY=() ;;
                @files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$last") ;;
                @folders) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$last") ;;
                @resource | @key | @context)
                    mapfile -t COMPREPLY < <("$1" __names --timeout 1s "${to[@]}" "${candidates#@}" -- "$last" </dev/null 2>/dev/null)
                    for i in "${!COMPREPLY[@]}"; do printf -v "COMPREPLY[$i]" %q "${COMPREPLY[i]}"; done ;;
                *) mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$last") ;;
            esac
            # Bash replaces only what follows the last of these.
            word=${last%"${last##*[:=@]}"}
            COMPREPLY=("${COMPREPLY[@]#"$word"}")
        }

        complete -F _leases leases

        """;

    public static string Write(IReadOnlyList<CompletedVerb> verbs)
    {
        var places = new StringBuilder();
        string[] words = [.. verbs[0].Verbs.Select(verb => verb.Name)];
        foreach (var verb in verbs)
        {
            if (verb.Verbs.Count > 0) Add(verb.Path, "verbs", verb.Verbs.Select(below => below.Name));
            Add(verb.Path, "options", verb.Options.Select(option => option.Name));
            foreach (var (place, value) in verb.Places()) Add(verb.Path, place, value.InScript(words));
        }

        return Script
            .Replace("@PLACES@\n", places.ToString(), StringComparison.Ordinal)
            .Replace("@CONNECTION@", string.Join(" | ", ShellNames.Connection), StringComparison.Ordinal);

        void Add(string verb, string place, IEnumerable<string> words) =>
            places.Append(CultureInfo.InvariantCulture, $"        '{verb}/{place}') candidates='{string.Join(' ', words)}' ;;\n");
    }
}
