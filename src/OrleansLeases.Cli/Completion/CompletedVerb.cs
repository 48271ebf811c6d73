using System.CommandLine;
using System.Globalization;

namespace OrleansLeases.Cli.Completion;

/// <summary>What a shell completes of one verb.</summary>
/// <param name="Path">The verb, such as <c>key put</c>; empty for the command itself.</param>
/// <param name="Verbs">The verbs below it.</param>
/// <param name="Options">Its options and those of all verbs.</param>
/// <param name="Arguments">What its arguments are, in their order.</param>
internal sealed record CompletedVerb(
    string Path, IReadOnlyList<Command> Verbs, IReadOnlyList<CompletedOption> Options, IReadOnlyList<Candidates> Arguments)
{
    /// <summary>The command and all of its verbs.</summary>
    public static IReadOnlyList<CompletedVerb> AllOf(Command root) => [.. Visit(root, "", [])];

    /// <summary>The places of values: behind an option, by its name; and those of arguments, by their number from 1.</summary>
    public IEnumerable<(string Place, Candidates Value)> Places()
    {
        foreach (var option in Options)
        {
            if (option.Value is not { } value) continue;
            yield return (option.Name, value);
            if (option.Short is { } letter) yield return (letter, value);
        }

        foreach (var (i, argument) in Arguments.Index()) yield return ((i + 1).ToString(CultureInfo.InvariantCulture), argument);
    }

    private static IEnumerable<CompletedVerb> Visit(Command command, string path, IReadOnlyList<Option> inherited)
    {
        var options = command.Options.Concat(inherited).Where(option => !option.Hidden).ToArray();
        var verbs = command.Subcommands.Where(verb => !verb.Hidden).ToArray();
        yield return new(
            path, verbs, [.. options.Select(option => new CompletedOption(option))],
            [.. command.Arguments.Select(argument => Candidates.Of(argument.HelpName ?? argument.Name))]);
        Option[] passedOn = [.. options.Where(option => option.Recursive)];
        foreach (var below in verbs.SelectMany(verb => Visit(verb, path.Length == 0 ? verb.Name : $"{path} {verb.Name}", passedOn)))
            yield return below;
    }
}

/// <summary>An option, and what its value is.</summary>
internal sealed record CompletedOption(string Name, string? Short, string Description, Candidates? Value)
{
    public CompletedOption(Option option)
        : this(
            option.Name, option.Aliases.FirstOrDefault(alias => alias is ['-', not ('-' or '?')]), option.Description ?? "",
            option.Arity.MaximumNumberOfValues == 0 || option.ValueType == typeof(bool) ? null : Candidates.Of(option.HelpName ?? ""))
    {
    }
}

/// <summary>What may stand at a place of the command line.</summary>
/// <param name="Kind">Where it comes from.</param>
/// <param name="Words">All there is, where the kind is <see cref="CandidateKind.Words"/>.</param>
internal sealed record Candidates(CandidateKind Kind, IReadOnlyList<string> Words)
{
    /// <summary>The words, or one that a script knows to ask for.</summary>
    /// <param name="verbs">What stands for the verbs of the command.</param>
    public IEnumerable<string> InScript(IEnumerable<string> verbs) => Kind switch
    {
        CandidateKind.Words => Words,
        CandidateKind.Resources => ["@resource"],
        CandidateKind.Keys => ["@key"],
        CandidateKind.Contexts => ["@context"],
        CandidateKind.Files => ["@files"],
        CandidateKind.Folders => ["@folders"],
        CandidateKind.Verbs => verbs,
        _ => ["@unknown"],
    };

    /// <summary>By what the help calls the place.</summary>
    public static Candidates Of(string name) => name switch
    {
        "RESOURCE" => new(CandidateKind.Resources, []),
        "KEY" => new(CandidateKind.Keys, []),
        "CONTEXT" => new(CandidateKind.Contexts, []),
        "FILE" => new(CandidateKind.Files, []),
        "DIR" => new(CandidateKind.Folders, []),
        "VERB" => new(CandidateKind.Verbs, []),
        _ when name.Contains('|', StringComparison.Ordinal) => new(CandidateKind.Words, name.Split('|')),
        _ => new(CandidateKind.Unknown, []),
    };
}

/// <summary>Where a shell finds what may stand at a place.</summary>
internal enum CandidateKind
{
    /// <summary>Nobody knows it but who types it.</summary>
    Unknown,

    /// <summary>A fixed set.</summary>
    Words,

    /// <summary>The server knows the names.</summary>
    Resources,

    /// <summary>The server knows the names.</summary>
    Keys,

    /// <summary>The user's file of contexts has the names.</summary>
    Contexts,

    /// <summary>The shell knows them.</summary>
    Files,

    /// <summary>The shell knows them.</summary>
    Folders,

    /// <summary>The verbs of the command.</summary>
    Verbs,
}
