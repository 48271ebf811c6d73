using System.Globalization;
using System.Text;

namespace OrleansLeases.Client.Internal;

/// <summary>Names in URLs: every byte but the unreserved ones is percent-encoded, and a <c>/</c> stays.</summary>
internal static class WirePath
{
    public static string Of(string name) => string.Join('/', name.Split('/').Select(Uri.EscapeDataString));

    public static string OfListing(ListLeasesRequest request)
    {
        var query = new StringBuilder("v1/leases");
        Append("prefix", request.Prefix);
        Append("owner", request.Owner);
        if (request.State != LeaseFilter.Held) Append("state", request.State == LeaseFilter.Free ? "free" : "any");
        if (request.PageSize != new ListLeasesRequest().PageSize) Append("pageSize", request.PageSize.ToString(CultureInfo.InvariantCulture));
        Append("after", request.After);
        return query.ToString();

        void Append(string name, string? value)
        {
            if (value is null) return;
            query.Append(query.Length == "v1/leases".Length ? '?' : '&').Append(name).Append('=').Append(Uri.EscapeDataString(value));
        }
    }
}
