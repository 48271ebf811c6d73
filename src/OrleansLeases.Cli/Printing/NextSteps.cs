using System.Globalization;

namespace OrleansLeases.Cli.Printing;

/// <summary>The commands a person would type next, ready to paste.</summary>
internal sealed class NextSteps(IReadOnlyList<string> namedServers)
{
    private readonly string _server = namedServers.Count == 0 ? "" : $" --server {TerminalText.Quote(string.Join(',', namedServers))}";

    public string Renew(LeaseGrant grant) => Holder("renew", grant);

    public string Release(LeaseGrant grant) => Holder("release", grant);

    private string Holder(string verb, LeaseGrant grant) => string.Create(
        CultureInfo.InvariantCulture,
        $"leases {verb} {TerminalText.Quote(grant.Resource)} --owner {TerminalText.Quote(grant.Owner)} --token {grant.Token}{_server}");
}
