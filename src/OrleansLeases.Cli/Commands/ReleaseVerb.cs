using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class ReleaseVerb : ClientVerb
{
    private readonly Argument<string> _resource = Inputs.Resource();
    private readonly Option<string?> _owner = Inputs.Owner("The holder. [default: LEASES_OWNER]");
    private readonly Option<long> _token = Inputs.Token(required: true);

    public ReleaseVerb()
        : base("release", "End a lease that you hold.", "leases release jobs/nightly --owner ann --token 7")
    {
        Arguments.Add(_resource);
        foreach (var option in new Option[] { _owner, _token }) Options.Add(option);
        Formats = new();
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var request = new ReleaseRequest
        {
            Resource = parsed.GetRequiredValue(_resource),
            Owner = parsed.OwnerOrEnvironment(_owner),
            Token = parsed.GetValue(_token),
        };
        return output.Print(
            await server.Service.ReleaseAsync(request, cancellationToken), LeaseJson.Default.LeaseRelease, LeasePrinter.Print, server.Hint);
    }
}
