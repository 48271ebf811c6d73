using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

internal sealed class ListVerb : ClientVerb
{
    private readonly Option<string?> _prefix = Inputs.Prefix();
    private readonly Option<string?> _owner = Inputs.Owner("Only leases that this owner holds.");
    private readonly Option<LeaseFilter> _state = new("--state")
    {
        Description = "Which resources: with a holder, without one, or all ever used. [default: held]",
        HelpName = "held|free|any",
        CustomParser = result =>
        {
            var word = result.Tokens[0].Value;
            if (word is "held" or "free" or "any") return Enum.Parse<LeaseFilter>(word, ignoreCase: true);
            result.AddError($"--state is '{word}'; it takes held, free or any.");
            return default;
        },
    };
    private readonly Option<int?> _pageSize = Inputs.PageSize();
    private readonly Option<string?> _after = Inputs.After();
    private readonly Option<bool> _watch = Inputs.Watch("Then go on with each lease that changes, until Ctrl-C.");

    public ListVerb()
        : base(
            "list", "List leases by name.",
            "leases list", "leases list --prefix jobs/ --state any", "leases list --owner ann --json", "leases list --prefix jobs/ --watch")
    {
        foreach (var option in new Option[] { _prefix, _owner, _state, _pageSize, _after, _watch }) Options.Add(option);
        Formats = new("the names", isWide: true);
        Validators.Add(result =>
        {
            if (result.GetResult(_watch) is not null && result.GetResult(_after) is not null)
                result.AddError("--after is for one page; leave out it or --watch.");
        });
    }

    protected override bool WaitsToTell(ParseResult parsed) => parsed.GetValue(_watch);

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var request = new ListLeasesRequest
        {
            Prefix = parsed.GetValue(_prefix),
            Owner = parsed.GetValue(_owner),
            State = parsed.GetValue(_state),
            PageSize = parsed.GetValue(_pageSize) ?? Inputs.DefaultPageSize,
            After = parsed.GetValue(_after),
        };
        if (parsed.GetValue(_watch)) return await ListWatch.RunAsync(server, request, output, cancellationToken);
        var listed = await server.Service.ListAsync(request, cancellationToken);
        var code = output.Print(
            listed, LeaseJson.Default.LeasePage, (page, writer) => LeasePrinter.Print(page, output.IsWide, writer), server.Hint,
            page => page.Leases.Select(lease => lease.Resource));
        if (!output.IsData && listed.TryGetValue(out var page, out _))
        {
            if (page.Leases.Count == 0) output.Note("there are no such leases");
            if (page.Next is { } next) output.Note($"there are more; add --after {TerminalText.Quote(next)}");
        }

        return code;
    }
}
