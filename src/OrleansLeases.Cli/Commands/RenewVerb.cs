using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class RenewVerb : ClientVerb
{
    private readonly Argument<string> _resource = Inputs.Resource();
    private readonly Option<string?> _owner = Inputs.Owner("The holder. [default: LEASES_OWNER]");
    private readonly Option<long> _token = Inputs.Token(required: true);
    private readonly Option<TimeSpan?> _ttl = Inputs.Duration("--ttl", "A new time to live from now on. [default: the one in force]");

    public RenewVerb()
        : base("renew", "Extend a lease by its time to live from now.", "leases renew jobs/nightly --owner ann --token 7")
    {
        Arguments.Add(_resource);
        foreach (var option in new Option[] { _owner, _token, _ttl }) Options.Add(option);
        Formats = new();
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var request = new RenewRequest
        {
            Resource = parsed.GetRequiredValue(_resource),
            Owner = parsed.OwnerOrEnvironment(_owner),
            Token = parsed.GetValue(_token),
            Ttl = parsed.GetValue(_ttl),
        };
        return output.Print(
            await server.Service.RenewAsync(request, cancellationToken), LeaseJson.Default.LeaseRenewal, LeasePrinter.Print, server.Hint);
    }
}
