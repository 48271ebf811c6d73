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
            if (!WaitsToTell(parsed)) return await AskAsync(server, parsed, Output.Of(parsed), cancellationToken);

            var readerGone = OutputReader.Watch();
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, readerGone);
            try
            {
                return await AskAsync(server, parsed, Output.Of(parsed), stop.Token);
            }
            catch (OperationCanceledException) when (readerGone.IsCancellationRequested)
            {
                return ExitCode.NobodyReads;
            }
        });

    /// <summary>
    /// Whether it mostly waits and prints events: then it ends when the reader of its output has gone.
    /// </summary>
    protected virtual bool WaitsToTell(ParseResult parsed) => false;

    /// <summary>Calls the service, prints the response and returns the exit code.</summary>
    protected abstract Task<int> AskAsync(ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken);
}
