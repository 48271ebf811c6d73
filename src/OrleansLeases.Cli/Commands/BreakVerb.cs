using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class BreakVerb : ClientVerb
{
    private readonly Argument<string> _resource = Inputs.Resource();
    private readonly Option<string> _reason = new("--reason")
    {
        Description = "Why, for the holder and the history.", HelpName = "TEXT", Required = true,
    };
    private readonly Option<TimeSpan?> _grace = Inputs.Duration("--grace", "The notice its holder gets. [default: 0s]");
    private readonly Option<long> _token = Inputs.Token(required: false);
    private readonly Option<bool> _force = new("--force")
    {
        Description = "End it after the notice even if its holder was promised more. Only fencing protects the resource then.",
    };
    private readonly Option<string?> _requestId = Inputs.RequestId();

    public BreakVerb()
        : base(
            "break", "End somebody else's lease: no renewal extends it any more.",
            "leases break jobs/nightly --reason 'host is gone'",
            "leases break jobs/nightly --grace 10s --force --reason 'deploying a fix'")
    {
        Arguments.Add(_resource);
        foreach (var option in new Option[] { _reason, _grace, _token, _force, _requestId }) Options.Add(option);
        Formats = new();
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var request = new BreakRequest
        {
            Resource = parsed.GetRequiredValue(_resource),
            Token = parsed.GetResult(_token) is null ? null : parsed.GetValue(_token),
            Grace = parsed.GetValue(_grace) ?? TimeSpan.Zero,
            Force = parsed.GetValue(_force),
            Reason = parsed.GetRequiredValue(_reason),
            RequestId = parsed.GetValue(_requestId),
        };
        return output.Print(
            await server.Service.BreakAsync(request, cancellationToken), LeaseJson.Default.LeaseBreak, LeasePrinter.Print, server.Hint);
    }
}
