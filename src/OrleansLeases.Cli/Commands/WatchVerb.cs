using System.CommandLine;
using System.CommandLine.Parsing;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class WatchVerb : ClientVerb
{
    private readonly Argument<string?> _resource = new("RESOURCE")
    {
        Description = "The resource: a path such as jobs/nightly.", Arity = ArgumentArity.ZeroOrOne,
    };
    private readonly Option<string?> _key = new("--key") { Description = "A key instead.", HelpName = "KEY" };
    private readonly Option<string?> _prefix = new("--prefix")
    {
        Description = "All resources and keys that start with this instead; live only.", HelpName = "TEXT",
    };
    private readonly Option<WatchPoint?> _since = new("--since")
    {
        Description = "Start after the event with this number or id. [default: with the current state]",
        HelpName = "EVENT",
        CustomParser = ParseEvent,
    };

    public WatchVerb()
        : base(
            "watch", "Follow what happens to a resource, to a key, or to all names with a prefix, until Ctrl-C.",
            "leases watch jobs/nightly", "leases watch --key config/color --since 3", "leases watch --prefix jobs/ --json")
    {
        Arguments.Add(_resource);
        foreach (var option in new Option[] { _key, _prefix, _since }) Options.Add(option);
        Formats = new();
        Validators.Add(result =>
        {
            if (new SymbolResult?[] { result.GetResult(_resource), result.GetResult(_key), result.GetResult(_prefix) }.Count(
                given => given is { Tokens.Count: > 0 }) != 1)
                result.AddError("watch takes one of RESOURCE, --key and --prefix.");
            else if (result.GetResult(_prefix) is not null && result.GetResult(_since) is not null)
                result.AddError("--since goes with RESOURCE or --key; a prefix is followed live only.");
        });
    }

    protected override bool WaitsToTell(ParseResult parsed) => true;

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var request = new WatchRequest
        {
            Resource = parsed.GetValue(_resource), Key = parsed.GetValue(_key), Prefix = parsed.GetValue(_prefix),
            Since = parsed.GetValue(_since),
        };
        server.WatchConnected = output.NoteConnection;
        var result = await server.Service.WatchAsync(request, cancellationToken);
        if (!result.TryGetValue(out var watch, out var refusal)) return output.Refuse(refusal, server.Hint);
        await foreach (var change in watch.WithCancellation(cancellationToken)) output.Print(change);
        return ExitCode.Done;
    }

    private static WatchPoint? ParseEvent(ArgumentResult result)
    {
        var text = result.Tokens[0].Value;
        if (WatchPoint.TryParse(text, out var point)) return point;
        result.AddError($"--since is '{text}'; it takes the number of an event, or its id as `leases watch --json` prints it.");
        return null;
    }
}
