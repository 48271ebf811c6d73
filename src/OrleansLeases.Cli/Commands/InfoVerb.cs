using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Overview;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class InfoVerb : ClientVerb
{
    public InfoVerb()
        : base("info", "Show what the service is, what it promises and its limits.", "leases info", "leases info --json") =>
        Formats = new();

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken) =>
        output.Print(
            await server.Service.InfoAsync(cancellationToken), LeaseJson.Default.ServiceInfo, StatusPrinter.Print, server.Hint);
}
