using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class HistoryVerb : ClientVerb
{
    private readonly Argument<string> _resource = Inputs.Resource();

    public HistoryVerb()
        : base("history", "Show who held a resource, from when, and why it ended.", "leases history jobs/nightly")
    {
        Arguments.Add(_resource);
        Formats = new();
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken) =>
        output.Print(
            await server.Service.HistoryAsync(parsed.GetRequiredValue(_resource), cancellationToken), LeaseJson.Default.LeaseHistory,
            (history, writer) =>
            {
                LeasePrinter.Print(history, writer);
                if (history.Events.Count == 0) output.Note("nothing has happened yet");
                else if (history.FirstSequence > 1) output.Note($"events before {history.FirstSequence} are no longer kept");
            },
            server.Hint);
}
