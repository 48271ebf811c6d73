using System.Globalization;
using System.Text;

namespace OrleansLeases.Cli.Completion;

/// <summary>The script for zsh.</summary>
internal static class ZshCompletion
{
    private const string Script = """
        #compdef leases
        # zsh completion for leases. Put it as _leases into a folder of fpath, before compinit; or: source <(leases completion zsh)

        # What may stand at a place of a verb: words, each with what it is, or @ and where to find them. Fails where nothing may.
        _leases_at() {
            case "$1/$2" in
        @PLACES@
                (*) return 1 ;;
            esac
        }

        _leases() {
            local verb= option= word
            local -a candidates names to
            integer place=1 i
            for ((i = 2; i < CURRENT; i++)); do
                word=${(Q)words[i]}
                if [[ -n $option ]]; then
                    case $option in (@CONNECTION@) to+=("$option" "$word") ;; esac
                    option=
                elif [[ $word == -- ]]; then
                    shift $i words
                    ((CURRENT -= i))
                    _normal
                    return
                elif [[ $word == -* ]]; then
                    _leases_at "$verb" "$word" && option=$word
                elif _leases_at "$verb" verbs && ((${candidates[(I)${(b)word}:*]})); then
                    verb=${verb:+$verb }$word
                else
                    ((place++))
                fi
            done

            if [[ -n $option ]]; then _leases_at "$verb" "$option"
            elif [[ $PREFIX == -* ]]; then _leases_at "$verb" options
            else _leases_at "$verb" verbs || _leases_at "$verb" "$place" || candidates=(@unknown)
            fi
            case $candidates[1] in
                (@unknown) return 1 ;;
                (@files) _files ;;
                (@folders) _files -/ ;;
                (@resource | @key | @context)
                    names=(${(f)"$(${(Q)words[1]} __names --timeout 1s $to ${candidates[1]#@} -- "${(Q)PREFIX}" </dev/null 2>/dev/null)"})
                    compadd -a names ;;
                (*) _describe leases candidates ;;
            esac
        }

        if [[ $funcstack[1] == _leases ]]; then _leases "$@"; else compdef _leases leases; fi

        """;

    public static string Write(IReadOnlyList<CompletedVerb> verbs)
    {
        var places = new StringBuilder();
        string[] words = [.. verbs[0].Verbs.Select(verb => Item(verb.Name, verb.Description))];
        foreach (var verb in verbs)
        {
            if (verb.Verbs.Count > 0) Add(verb.Path, "verbs", verb.Verbs.Select(below => Item(below.Name, below.Description)));
            Add(verb.Path, "options", verb.Options.Select(option => Item(option.Name, option.Description)));
            foreach (var (place, value) in verb.Places()) Add(verb.Path, place, value.InScript(words));
        }

        return Script
            .Replace("@PLACES@\n", places.ToString(), StringComparison.Ordinal)
            .Replace("@CONNECTION@", string.Join(" | ", ShellNames.Connection), StringComparison.Ordinal);

        void Add(string verb, string place, IEnumerable<string> words) => places.Append(
            CultureInfo.InvariantCulture, $"        ({ShellNames.Quote($"{verb}/{place}")}) candidates=({string.Join(' ', words)}) ;;\n");
    }

    private static string Item(string name, string? description) =>
        ShellNames.Quote($"{name}:{ShellNames.FirstSentence(description ?? "")}");
}
