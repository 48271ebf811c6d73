using System.Globalization;
using System.Text;

namespace OrleansLeases.Client.Internal;

/// <summary>Names in URLs: every byte but the unreserved ones is percent-encoded, and a <c>/</c> stays.</summary>
internal static class WirePath
{
    public static string Of(string name) => string.Join('/', name.Split('/').Select(Uri.EscapeDataString));

    public static string OfListing(ListLeasesRequest request) => new Query("v1/leases")
        .With("prefix", request.Prefix)
        .With("owner", request.Owner)
        .With("state", request.State switch { LeaseFilter.Held => null, LeaseFilter.Free => "free", _ => "any" })
        .With("pageSize", request.PageSize == new ListLeasesRequest().PageSize ? null : Number(request.PageSize))
        .With("after", request.After)
        .ToString();

    public static string OfListing(ListKeysRequest request) => new Query("v1/keys")
        .With("prefix", request.Prefix)
        .With("pageSize", request.PageSize == new ListKeysRequest().PageSize ? null : Number(request.PageSize))
        .With("after", request.After)
        .ToString();

    public static string OfWatch(WatchRequest request) => new Query("v1/watch")
        .With("resource", request.Resource)
        .With("key", request.Key)
        .With("prefix", request.Prefix)
        .With("since", request.Since?.ToString())
        .ToString();

    public static string OfDelete(string key, long? ifVersion) =>
        new Query($"v1/keys/{Of(key)}").With("ifVersion", ifVersion is { } version ? Number(version) : null).ToString();

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A path and, behind it, the parameters that have a value.</summary>
    private sealed class Query(string path)
    {
        private readonly StringBuilder _text = new(path);
        private char _separator = '?';

        public Query With(string name, string? value)
        {
            if (value is null) return this;
            _text.Append(_separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            _separator = '&';
            return this;
        }

        public override string ToString() => _text.ToString();
    }
}
