using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>
/// Every route of the gateway, by method and pattern, with the right that it takes and a call of it. A route that is added is in none of
/// these lists, and a test says so.
/// </summary>
internal static class Routes
{
    private const string Lease = """ "resource":"NAME","owner":"OWNER","token":1 """;

    /// <summary>Those about a name: the right on it that a call needs, and its body. NAME is the name, OWNER the caller's.</summary>
    public static readonly IReadOnlyDictionary<string, (LeaseRights Needs, string? Body)> OfNames =
        new Dictionary<string, (LeaseRights, string?)>
        {
            ["POST /v1/leases/acquire"] = (LeaseRights.Hold, """{"resource":"NAME","owner":"OWNER","ttlMs":1000}"""),
            ["POST /v1/leases/renew"] = (LeaseRights.Hold, $"{{{Lease}}}"),
            ["POST /v1/leases/release"] = (LeaseRights.Hold, $"{{{Lease}}}"),
            ["POST /v1/leases/transfer"] = (LeaseRights.Hold, $$"""{{{Lease}},"newOwner":"OWNER/2"}"""),
            ["POST /v1/leases/break"] = (LeaseRights.Break, """{"resource":"NAME","graceMs":0,"reason":"r"}"""),
            ["GET /v1/leases/{**resource}"] = (LeaseRights.Read, null),
            ["GET /v1/history/{**resource}"] = (LeaseRights.Read, null),
            ["GET /v1/watch"] = (LeaseRights.Read, null),
            ["PUT /v1/keys/{**key}"] = (LeaseRights.Keys, """{"value":"v"}"""),
            ["GET /v1/keys/{**key}"] = (LeaseRights.Read, null),
            ["DELETE /v1/keys/{**key}"] = (LeaseRights.Keys, null),
            ["POST /v1/counters/{**key}"] = (LeaseRights.Keys, """{"delta":1}"""),
        };

    /// <summary>Those about no name of their own; what they show or do is checked name by name.</summary>
    public static readonly IReadOnlyList<string> OfNoName =
        ["POST /v1/leases/renew-batch", "POST /v1/batch", "GET /v1/leases", "GET /v1/keys", "GET /v1/info", "GET /v1/whoami"];

    /// <summary>Those that take the right 'admin'.</summary>
    public static readonly IReadOnlyList<string> OfAdmin =
        ["POST /v1/tokens", "GET /v1/tokens", "DELETE /v1/tokens/{**id}", "DELETE /v1/proof-keys", "GET /v1/members"];

    /// <summary>Those that want no credential.</summary>
    public static readonly IReadOnlyList<string> Open =
    [
        "GET /.well-known/{jwks.json}", "GET /health/live", "GET /health/ready", "GET /openapi/v1.json",
        "GET /", .. DashboardTests.Files.Select(file => $"GET {file}"),
    ];

    /// <summary>Those that a host has, from its own table.</summary>
    public static IEnumerable<string> Of(GatewayHost host) =>
        from endpoint in host.Endpoints
        let methods = endpoint.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
        from method in methods
        select $"{method} {endpoint.RoutePattern.RawText}";

    /// <summary>A call of a route.</summary>
    /// <param name="server">The server.</param>
    /// <param name="route">The route.</param>
    /// <param name="name">The name that it is about, as it stands in a URL.</param>
    /// <param name="owner">The caller's.</param>
    public static HttpRequestMessage Call(Uri server, string route, string name, string owner)
    {
        var plain = JsonEncodedText.Encode(Uri.UnescapeDataString(name)).ToString();
        var body = OfNames.TryGetValue(route, out var call)
            ? call.Body?.Replace("NAME", plain, StringComparison.Ordinal).Replace("OWNER", owner, StringComparison.Ordinal)
            : "{}";
        return Send(server, route.Split(' ')[0], PathOf(route, name), body);
    }

    /// <summary>A call of a path as it is: a client of .NET would normalize it before anybody could refuse it.</summary>
    public static HttpRequestMessage Send(Uri server, string method, string path, string? body) => new(new(method), new Uri(
        server.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }))
    {
        Content = body is not null && method is "POST" or "PUT" ? new StringContent(body!, Encoding.UTF8, "application/json") : null,
    };

    private static string PathOf(string route, string name) => route.Split(' ')[1] switch
    {
        "/v1/watch" => $"/v1/watch?resource={name}",
        "/.well-known/{jwks.json}" => "/.well-known/jwks.json",
        var path when path.Contains("{**", StringComparison.Ordinal) => path[..path.IndexOf('{', StringComparison.Ordinal)] + name,
        var path => path,
    };
}
