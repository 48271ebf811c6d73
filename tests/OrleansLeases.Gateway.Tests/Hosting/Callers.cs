using System.Net;
using System.Security.Cryptography.X509Certificates;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Access;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>
/// A host over https that takes all kinds of credentials, and a caller of each kind for each verb, with that verb alone on
/// <see cref="Prefixes"/>: its principal is <c>KIND-VERB</c>. <c>KIND-all</c> has all four, <c>KIND-admin</c> admin alone.
/// </summary>
public sealed class Callers : IAsyncLifetime
{
    private const string Key = "key";
    private const string Jwt = "jwt";
    private const string Certificate = "certificate";

    /// <summary>What stands in records that callers may not read.</summary>
    internal const string Secret = "a-secret-of-others";

    private static readonly string[] Verbs = ["read", "hold", "break", "keys"];

    private readonly ManualTimeProvider _time = new();
    private readonly AccessFolder _folder = new();
    private readonly Jwts _jwts = new();
    private readonly Dictionary<string, HttpClient> _clients = [];
    private Certificates _authority = null!;

    /// <summary>The prefixes that all but administrators have rights on. The second is composed, as Unicode calls it.</summary>
    internal static IReadOnlyList<string> Prefixes { get; } = ["jobs", "caf\u00e9"];

    /// <summary>The kinds of credentials.</summary>
    internal static IReadOnlyList<string> Kinds { get; } = [Key, Jwt, Certificate];

    internal EmbeddedLeases Leases { get; } = EmbeddedLeases.InMemory();

    internal GatewayHost Host { get; private set; } = null!;

    /// <summary>Whether a name is one that the callers have rights on.</summary>
    internal static bool IsWithin(string name) =>
        Prefixes.Any(prefix => name == prefix || name.StartsWith(prefix + "/", StringComparison.Ordinal));

    /// <summary>The principal of a kind that has a verb.</summary>
    internal static string PrincipalOf(string kind, string verb) => $"{kind}-{verb}";

    /// <summary>The client of a principal, with its credential.</summary>
    internal HttpClient ClientOf(string principal) => _clients[principal];

    /// <inheritdoc/>
    public async Task InitializeAsync()
    {
        _authority = new("Clients", _time.GetUtcNow());
        _folder.Write("ca.pem", _authority.Pem);
        _folder.Write("jwks.json", _jwts.Set);
        var principals = Kinds.SelectMany(kind => Verbs.Append("all").Append("admin").Select(verb => (Kind: kind, Verb: verb))).ToArray();
        var keys = principals.Where(one => one.Kind == Key).ToDictionary(one => one.Verb, _ => ApiKeyText.New());
        var entries = keys.Select(key => ApiKeyText.Entry(
            key.Value.Id, key.Value.Token, new() { Name = key.Key, Principal = PrincipalOf(Key, key.Key) }, _time.GetUtcNow()));
        _folder.Write("access.json", $$"""
            {
              "rules": [ {{string.Join(", ", principals.SelectMany(one => RulesOf(one.Kind, one.Verb)))}} ],
              "keys": [ {{string.Join(", ", entries)}} ],
              "jwt": {{Jwts.Section()}},
              "certificates": { "authorities": "ca.pem", "principal": "cn" }
            }
            """);
        Host = await _folder.StartAsync(Leases, _time, _authority.Issue("CN=localhost", usage: Certificates.ForServers));
        foreach (var (kind, verb) in principals)
        {
            var name = PrincipalOf(kind, verb);
            _clients[name] = ClientOf(
                kind == Certificate ? _authority.Issue($"CN={name}") : null,
                kind == Key ? keys[verb].Token : kind == Jwt ? _jwts.Sign(Jwts.Claims(name, _time.GetUtcNow())) : null);
        }
    }

    /// <inheritdoc/>
    public async Task DisposeAsync()
    {
        foreach (var client in _clients.Values) client.Dispose();
        await Host.DisposeAsync();
        await Leases.DisposeAsync();
        _authority.Dispose();
        _jwts.Dispose();
        _folder.Dispose();
    }

    private static IEnumerable<string> RulesOf(string kind, string verb)
    {
        string[] verbs = verb == "all" ? Verbs : [verb];
        var words = string.Join(", ", verbs.Select(word => $"\"{word}\""));
        return (verb == "admin" ? [""] : Prefixes)
            .Select(prefix => $$"""{ "principal": "{{PrincipalOf(kind, verb)}}", "prefix": "{{prefix}}", "verbs": [{{words}}] }""");
    }

    private HttpClient ClientOf(X509Certificate2? certificate, string? bearer)
    {
        var client = _authority.ClientOf(Host.Address, certificate);
        client.DefaultRequestVersion = HttpVersion.Version20;
        if (bearer is not null) client.DefaultRequestHeaders.Authorization = new("Bearer", bearer);
        return client;
    }
}
