using System.Globalization;

namespace OrleansLeases.Cli.Printing;

/// <summary>The commands a person would type next, ready to paste.</summary>
internal sealed class NextSteps(Uri? namedServer)
{
    private readonly string _server = namedServer is null ? "" : $" --server {Plain.Quote(namedServer.OriginalString)}";

    public string Renew(LeaseGrant grant) => Holder("renew", grant);

    public string Release(LeaseGrant grant) => Holder("release", grant);

    private string Holder(string verb, LeaseGrant grant) => string.Create(
        CultureInfo.InvariantCulture,
        $"leases {verb} {Plain.Quote(grant.Resource)} --owner {Plain.Quote(grant.Owner)} --token {grant.Token}{_server}");
}
