using System.Globalization;

namespace OrleansLeases.Cli.Printing;

/// <summary>The commands a person would type next, ready to paste.</summary>
internal sealed class NextSteps(IReadOnlyList<string> connection)
{
    private readonly string _server = string.Concat(connection.Select(word => $" {TerminalText.Quote(word)}"));

    public string Renew(LeaseGrant grant) => Holder("renew", grant);

    public string Release(LeaseGrant grant) => Holder("release", grant);

    private string Holder(string verb, LeaseGrant grant) => string.Create(
        CultureInfo.InvariantCulture,
        $"leases {verb} {TerminalText.Quote(grant.Resource)} --owner {TerminalText.Quote(grant.Owner)} --token {grant.Token}{_server}");
}
