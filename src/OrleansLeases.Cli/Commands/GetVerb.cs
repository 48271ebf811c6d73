using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class GetVerb : ClientVerb
{
    private readonly Argument<string> _resource = Inputs.Resource();
    private readonly Option<bool> _consistent = new("--consistent") { Description = "Check the stored version first." };

    public GetVerb()
        : base("get", "Show who holds a resource.", "leases get jobs/nightly", "leases get jobs/nightly --json | jq .holders")
    {
        Arguments.Add(_resource);
        Options.Add(_consistent);
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var request = new GetLeaseRequest { Resource = parsed.GetRequiredValue(_resource), Consistent = parsed.GetValue(_consistent) };
        return output.Print(
            await server.Service.GetAsync(request, cancellationToken), LeaseJson.Default.LeaseInfo, LeasePrinter.Print, server.Hint);
    }
}
