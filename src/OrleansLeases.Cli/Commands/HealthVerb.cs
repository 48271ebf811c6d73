using System.CommandLine;
using System.Text.Json;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Overview;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class HealthVerb : ClientVerb
{
    public HealthVerb()
        : base(
            "health", "Ask each server whether it takes calls: exit code 0 if all do, 5 otherwise.",
            "leases health", "leases health --server http://10.0.0.1:7400,http://10.0.0.2:7400 --timeout 2s")
    {
        Details = ["It needs no credential. Give it to a supervisor as its check."];
        Formats = new();
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var servers = await ServerHealth.OfAllAsync(server, cancellationToken);
        output.Print(new ServersHealth(servers), CliJson.Default.ServersHealth, StatusPrinter.Print);
        return servers.All(asked => asked.IsReady) ? ExitCode.Done : ExitCode.NoAnswer;
    }
}
