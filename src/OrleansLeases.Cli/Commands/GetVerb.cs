using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class GetVerb : ClientVerb
{
    private readonly Argument<string> _resource = Inputs.Resource();
    private readonly Option<bool> _consistent = new("--consistent") { Description = "Check the stored version first." };
    private readonly Option<bool> _watch = Inputs.Watch("Show it again whenever it changes, until Ctrl-C.");

    public GetVerb()
        : base(
            "get", "Show who holds a resource.",
            "leases get jobs/nightly", "leases get jobs/nightly --json | jq .holders", "leases get jobs/nightly --watch")
    {
        Arguments.Add(_resource);
        Options.Add(_consistent);
        Options.Add(_watch);
        Formats = new("its owners");
    }

    protected override bool WaitsToTell(ParseResult parsed) => parsed.GetValue(_watch);

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var request = new GetLeaseRequest { Resource = parsed.GetRequiredValue(_resource), Consistent = parsed.GetValue(_consistent) };
        if (!parsed.GetValue(_watch)) return Print(await server.Service.GetAsync(request, cancellationToken));

        server.WatchConnected = output.NoteConnection;
        var started = await server.Service.WatchAsync(new WatchRequest { Resource = request.Resource }, cancellationToken);
        if (!started.TryGetValue(out var watch, out var refusal)) return output.Refuse(refusal, server.Hint);
        var isFirst = true;
        await foreach (var change in watch.WithCancellation(cancellationToken))
        {
            // The state follows.
            if (change is WatchEvent.Resync) continue;
            if (!isFirst) output.Separate();
            isFirst = false;
            LeaseResult<LeaseInfo> now =
                change is WatchEvent.LeaseSnapshot { Lease: var lease } ? lease : await server.Service.GetAsync(request, cancellationToken);
            if (Print(now) is not (ExitCode.Done or ExitCode.NoAnswer) and var code) return code;
        }

        return ExitCode.Done;

        int Print(LeaseResult<LeaseInfo> info) =>
            output.Print(info, LeaseJson.Default.LeaseInfo, LeasePrinter.Print, server.Hint, LeasePrinter.Alone);
    }
}
