using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Overview;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class StatusVerb : ClientVerb
{
    public StatusVerb()
        : base(
            "status", "Show the service at a glance: its servers, what is held and who waits.", "leases status", "leases status --json") =>
        Formats = new();

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var health = ServerHealth.OfAllAsync(server, cancellationToken);
        var asked = await server.Service.InfoAsync(cancellationToken);
        if (!asked.TryGetValue(out var info, out var refusal)) return output.Refuse(refusal, server.Hint);
        var caller = await server.WhoAmIAsync(cancellationToken);
        var members = await server.Service.ListMembersAsync(cancellationToken);
        var held = await HeldNames.ReadAsync(server.Service, prefix: null, cancellationToken);
        // Who may read nothing still sees how the service is.
        if (held.Refusal is not (null or Refusal.Forbidden)) return output.Refuse(held.Refusal, server.Hint);
        output.Print(
            new ServiceStatus
            {
                Servers = await health,
                Info = info,
                Members = members.TryGetValue(out var list, out _) ? list.Members : [],
                Caller = caller.TryGetValue(out var known, out _) ? known : null,
                Leases = held.TryGetValue(out var names, out _) ? names : null,
            },
            CliJson.Default.ServiceStatus, StatusPrinter.Print);
        return ExitCode.Done;
    }
}
