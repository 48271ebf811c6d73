using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class TransferVerb : ClientVerb
{
    private readonly Argument<string> _resource = Inputs.Resource();
    private readonly Option<string?> _owner = Inputs.Owner("The holder. [default: LEASES_OWNER]");
    private readonly Option<long> _token = Inputs.Token(required: true);
    private readonly Option<string> _to = new("--to") { Description = "Who holds it next.", HelpName = "NAME", Required = true };
    private readonly Option<TimeSpan?> _ttl = Inputs.Duration("--ttl", "A new time to live. [default: the one in force]");
    private readonly Option<string?> _requestId = Inputs.RequestId();

    public TransferVerb()
        : base(
            "transfer", "Hand a lease to a new owner, ahead of the queue, with a new token.",
            "leases transfer jobs/nightly --owner ann --token 7 --to bob")
    {
        Arguments.Add(_resource);
        foreach (var option in new Option[] { _owner, _token, _to, _ttl, _requestId }) Options.Add(option);
        Formats = new("the new token");
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var request = new TransferRequest
        {
            Resource = parsed.GetRequiredValue(_resource),
            Owner = parsed.OwnerOrEnvironment(_owner),
            Token = parsed.GetValue(_token),
            NewOwner = parsed.GetRequiredValue(_to),
            Ttl = parsed.GetValue(_ttl),
            RequestId = parsed.GetValue(_requestId),
        };
        return output.Print(
            await server.Service.TransferAsync(request, cancellationToken), LeaseJson.Default.LeaseGrant,
            (grant, writer) => LeasePrinter.PrintTransfer(grant, server.NextSteps, writer), server.Hint, LeasePrinter.Alone);
    }
}
