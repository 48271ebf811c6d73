using System.CommandLine;

namespace OrleansLeases.Cli.Commands;

/// <summary>One verb with what its own <c>--help</c> adds to the usual: details and examples.</summary>
internal abstract class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;

    /// <summary>How its result may be printed besides as text and JSON; null where there is no other way.</summary>
    public Formats? Formats
    {
        get;
        protected init => (field = value)?.AddTo(this);
    }

    /// <summary>What a listing of the verbs has no room for, line by line.</summary>
    public IReadOnlyList<string> Details { get; init; } = [];
}
