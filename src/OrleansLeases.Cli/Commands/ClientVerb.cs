using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

/// <summary>A verb that asks a lease server.</summary>
internal abstract class ClientVerb : Verb
{
    protected ClientVerb(string name, string description, params string[] examples)
        : base(name, description, examples) =>
        SetAction(async (parsed, cancellationToken) =>
        {
            using var server = ServerConnection.Of(parsed);
            return await AskAsync(server, parsed, Output.Of(parsed), cancellationToken);
        });

    /// <summary>Asks, prints the answer and tells the exit code.</summary>
    protected abstract Task<int> AskAsync(ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken);
}
