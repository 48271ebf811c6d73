using System.CommandLine;
using OrleansLeases.Cli.Connecting;
using OrleansLeases.Cli.Printing;

namespace OrleansLeases.Cli.Commands;

/// <summary>What a shell asks while a name is typed: names that begin so, a line each.</summary>
internal sealed class NamesVerb : ClientVerb
{
    public const string VerbName = "__names";

    // More than anyone reads.
    private const int Most = 200;

    private readonly Argument<string> _kind = new("KIND") { HelpName = "resource|key|context" };
    private readonly Argument<string> _prefix = new("PREFIX") { DefaultValueFactory = _ => "" };

    public NamesVerb()
        : base(VerbName, "A part of `leases completion`.")
    {
        Hidden = true;
        Arguments.Add(_kind);
        Arguments.Add(_prefix);
    }

    protected override async Task<int> AskAsync(
        ServerConnection server, ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        var prefix = parsed.GetRequiredValue(_prefix);
        var read = parsed.GetValue(_kind) switch
        {
            "context" => ContextFile.Read().Contexts.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToArray(),
            "key" => await KeysAsync(server.Service, prefix, cancellationToken),
            _ => await ResourcesAsync(server.Service, prefix, cancellationToken),
        };
        if (!read.TryGetValue(out var names, out var refusal)) return output.Refuse(refusal);
        // The shell prints them to the terminal as they are.
        foreach (var name in names.Where(TerminalText.IsShown)) parsed.InvocationConfiguration.Output.WriteLine(name);
        return ExitCode.Done;
    }

    private static async Task<LeaseResult<string[]>> ResourcesAsync(ILeaseService service, string prefix, CancellationToken stop)
    {
        var listed = await service.ListAsync(
            new ListLeasesRequest { Prefix = prefix, State = LeaseFilter.Any, PageSize = Most }, stop);
        return listed.TryGetValue(out var page, out var refusal) ? page.Leases.Select(lease => lease.Resource).ToArray() : refusal;
    }

    private static async Task<LeaseResult<string[]>> KeysAsync(ILeaseService service, string prefix, CancellationToken stop)
    {
        var listed = await service.ListKeysAsync(new ListKeysRequest { Prefix = prefix, PageSize = Most }, stop);
        return listed.TryGetValue(out var page, out var refusal) ? page.Keys.Select(key => key.Key).ToArray() : refusal;
    }
}
