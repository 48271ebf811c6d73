using System.CommandLine;

namespace OrleansLeases.Cli.Commands;

/// <summary>One verb with its examples, which <c>--help</c> shows.</summary>
internal abstract class Verb(string name, string description, params string[] examples) : Command(name, description)
{
    public IReadOnlyList<string> Examples { get; } = examples;
}
