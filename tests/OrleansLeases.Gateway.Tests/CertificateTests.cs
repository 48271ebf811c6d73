using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Access;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>Client certificates as credentials: whom they are for, which are refused, and what goes before them.</summary>
public sealed class CertificateTests : IAsyncLifetime
{
    private static readonly ManualTimeProvider Clock = new();
    private static readonly Certificates Authority = new("Clients", Clock.GetUtcNow());
    private static readonly Certificates Stranger = new("Clients", Clock.GetUtcNow());
    private static readonly Certificates Department = Authority.Below("Department");
    private static readonly Jwts Signer = new();
    private static readonly X509Certificate2 Server = Authority.Issue("CN=localhost", usage: Certificates.ForServers);

    /// <summary>Certificates that are taken by a section, and for whom.</summary>
    private static readonly Dictionary<string, (string Section, X509Certificate2 Shown, string Principal)> Right = new()
    {
        ["common name"] = (""" "principal": "cn" """, Authority.Issue("CN=ci"), "ci"),
        ["common name among others"] = (""" "principal": "cn" """, Authority.Issue("CN=ci, O=Example, C=AT"), "ci"),
        ["common name, whatever the alternatives"] =
            (""" "principal": "cn" """, Authority.Issue("CN=ci", names => names.AddDnsName("root")), "ci"),
        ["DNS name"] =
            (""" "principal": "dns" """, Authority.Issue("CN=root", names => names.AddDnsName("CI.example.org")), "ci.example.org"),
        ["URI"] = (
            """ "principal": "uri", "uriPrefix": "spiffe://example.org/" """,
            Authority.Issue("CN=root", names =>
            {
                names.AddDnsName("root");
                names.AddUri(new("spiffe://example.org/ns/prod/ci"));
                names.AddEmailAddress("root@example.org");
            }),
            "ns/prod/ci"),
    };

    /// <summary>Certificates that are not, and what is said of them.</summary>
    private static readonly Dictionary<string, (string Section, X509Certificate2 Shown, string Said)> Wrong = new()
    {
        ["another authority of the same name"] = (""" "principal": "cn" """, Stranger.Issue("CN=ci"), "no authority"),
        ["its own authority"] = (""" "principal": "cn" """, Stranger.Authority, "no authority"),
        ["without what is between"] = (""" "principal": "cn" """, Department.Issue("CN=ci"), "no authority"),
        ["expired"] = (""" "principal": "cn" """, Authority.Issue("CN=ci", from: -1, to: 0), "expired"),
        ["not valid yet"] = (""" "principal": "cn" """, Authority.Issue("CN=ci", from: 1), "not valid yet"),
        ["for servers"] =
            (""" "principal": "cn" """, Authority.Issue("CN=ci", usage: Certificates.ForServers), "authentication of clients"),
        ["for whatever"] = (""" "principal": "cn" """, Authority.Issue("CN=ci", usage: null), "authentication of clients"),
        ["the authority itself"] = (""" "principal": "cn" """, Authority.Authority, "authentication of clients"),
        ["no common name"] = (""" "principal": "cn" """, Authority.Issue("O=ci"), "no common name"),
        ["two common names"] = (""" "principal": "cn" """, Authority.Issue("CN=ci, CN=root"), "more than one common name"),
        ["everybody"] = (""" "principal": "cn" """, Authority.Issue("CN=*"), "no name of a principal"),
        ["a way out"] = (""" "principal": "cn" """, Authority.Issue("CN=ci/../root"), "no name of a principal"),
        ["a common name for a DNS name"] = (""" "principal": "dns" """, Authority.Issue("CN=ci"), "no DNS name"),
        ["all DNS names"] =
            (""" "principal": "dns" """, Authority.Issue("CN=ci", names => names.AddDnsName("*.example.org")), "no name of a principal"),
        ["two DNS names"] = (
            """ "principal": "dns" """,
            Authority.Issue("CN=ci", names =>
            {
                names.AddDnsName("ci");
                names.AddDnsName("root");
            }),
            "more than one DNS name"),
        ["a URI of another domain"] = (
            """ "principal": "uri", "uriPrefix": "spiffe://example.org/" """,
            Authority.Issue("CN=ci", names => names.AddUri(new("spiffe://example.org.evil/ci"))), "does not begin"),
        ["a URI and no more"] = (
            """ "principal": "uri", "uriPrefix": "spiffe://example.org/" """,
            Authority.Issue("CN=ci", names => names.AddUri(new("spiffe://example.org/"))), "no name of a principal"),
    };

    private readonly EmbeddedLeases _leases = EmbeddedLeases.InMemory();
    private readonly ManualTimeProvider _time = new();
    private readonly AccessFolder _folder = new();
    private GatewayHost _host = null!;

    public static TheoryData<string> RightOnes => [.. Right.Keys];

    public static TheoryData<string> WrongOnes => [.. Wrong.Keys];

    public async Task InitializeAsync()
    {
        _folder.Write("ca.pem", Authority.Pem);
        _folder.Write("jwks.json", Signer.Set);
        Configure(""" "principal": "cn" """);
        _host = await _folder.StartAsync(_leases, _time, Server);
    }

    public async Task DisposeAsync()
    {
        await _host.DisposeAsync();
        await _leases.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(RightOnes))]
    public async Task Certificate_OfTheAuthority_IsItsPrincipal(string what)
    {
        var (section, shown, principal) = Right[what];
        Configure(section);
        ReadAgain();
        using var client = Authority.ClientOf(_host.Address, shown);

        Assert.Equal(principal, await WhoAmIAsync(client));
    }

    [Theory]
    [MemberData(nameof(WrongOnes))]
    public async Task Certificate_ThatIsWrong_IsUnauthorized(string what)
    {
        var (section, shown, said) = Wrong[what];
        Configure(section);
        ReadAgain();
        using var client = Authority.ClientOf(_host.Address, shown);

        // The connection is taken, so that the caller learns what is wrong.
        using var reply = await client.GetAsync("/v1/whoami");
        Assert.Equal(HttpStatusCode.Unauthorized, reply.StatusCode);
        var refusal = (await reply.Content.ReadFromJsonAsync(LeaseJson.Default.Refusal))!;
        Assert.StartsWith("The client certificate is not valid", refusal.Detail, StringComparison.Ordinal);
        Assert.Contains(said, refusal.Detail, StringComparison.Ordinal);
        using var live = await client.GetAsync("/health/live");
        Assert.Equal(HttpStatusCode.OK, live.StatusCode);
    }

    [Fact]
    public async Task Certificate_WithWhatIsBetweenItAndItsRoot_IsItsPrincipal()
    {
        using var client = Authority.ClientOf(_host.Address, Department.Issue("CN=ci"), Department.Authority);

        for (var i = 0; i < 3; i++) Assert.Equal("ci", await WhoAmIAsync(client));

        // On another connection too, which TLS might take for the first one.
        using var next = Authority.ClientOf(_host.Address, Department.Issue("CN=ci"), Department.Authority);
        next.DefaultRequestHeaders.ConnectionClose = true;
        next.DefaultRequestVersion = HttpVersion.Version11;
        for (var i = 0; i < 3; i++) Assert.Equal("ci", await WhoAmIAsync(next));
    }

    [Fact]
    public async Task Certificate_SignedByAClient_IsNobodys()
    {
        var own = Authority.Issue("CN=ann");
        using var client = Authority.ClientOf(_host.Address, Authority.Forge(own, "CN=ci"), own);

        Assert.Null(await WhoAmIAsync(client));

        // Nor where somebody has put the client's beside the authorities, to let it in.
        _folder.Write("ca.pem", Authority.Pem + "\n" + own.ExportCertificatePem());
        ReadAgain();
        Assert.Null(await WhoAmIAsync(client));
    }

    [Fact]
    public async Task Caller_WithoutACertificate_IsUnauthorized()
    {
        using var client = Authority.ClientOf(_host.Address, certificate: null);

        using var reply = await client.GetAsync("/v1/whoami");

        Assert.Equal(HttpStatusCode.Unauthorized, reply.StatusCode);
        Assert.Contains("client certificate", await reply.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Header_GoesBeforeTheCertificate_RightOrWrong()
    {
        var (id, key) = ApiKeyText.New();
        var entry = ApiKeyText.Entry(id, key, new() { Name = "k", Principal = "of-key" }, default);
        Configure(
            """ "principal": "cn" """,
            $$""", "jwt": {{Jwts.Section()}}, "keys": [ {{entry}} ]""");
        ReadAgain();
        var token = Signer.Sign(Jwts.Claims("of-token", _time.GetUtcNow()));
        using var good = Authority.ClientOf(_host.Address, Authority.Issue("CN=ci"));
        using var bad = Authority.ClientOf(_host.Address, Stranger.Issue("CN=ci"));

        foreach (var client in new[] { good, bad })
        {
            Assert.Equal("of-key", await WhoAmIAsync(client, $"Bearer {key}"));
            Assert.Equal("of-token", await WhoAmIAsync(client, $"Bearer {token}"));
        }

        foreach (var wrong in new[] { $"Bearer {key[..^1]}", $"Bearer {token}x", "Bearer x", "Bearer", "Basic Y2k6Y2k=", "", " " })
            Assert.Null(await WhoAmIAsync(good, wrong));
        Assert.Equal("ci", await WhoAmIAsync(good));
        Assert.Null(await WhoAmIAsync(bad));
    }

    [Fact]
    public async Task Certificate_ThatEnds_EndsItsWatch()
    {
        using var client = Authority.ClientOf(_host.Address, Authority.Issue("CN=ci"));
        using var events = await EventReader.OpenAsync(client, "prefix=jobs");
        await events.NextAsync();
        using var other = Authority.ClientOf(_host.Address, Department.Issue("CN=ci"), Department.Authority);
        using var others = await EventReader.OpenAsync(other, "prefix=jobs");
        await others.NextAsync();

        // No authority of the file has issued the first any longer; the second is valid for as long as it says.
        _folder.Write("ca.pem", Stranger.Pem + "\n" + Authority.Pem);
        ReadAgain();
        Assert.Equal("ci", await WhoAmIAsync(client));
        _folder.Write("ca.pem", Stranger.Pem);
        ReadAgain();
        Assert.Null(await WhoAmIAsync(client));
        Assert.Null(await LastAsync(events));

        _folder.Write("ca.pem", Authority.Pem);
        ReadAgain();
        Assert.Equal("ci", await WhoAmIAsync(other));
        // The wall clock alone: in a month, what is done every two seconds would be done a million times.
        _time.StepWall(TimeSpan.FromDays(30));
        Assert.Null(await WhoAmIAsync(other));
        Assert.Null(await LastAsync(others));
    }

    [Fact]
    public async Task Certificate_ThatIsRevoked_EndsItsWatch_AndNoOtherOfItsPrincipal()
    {
        var (lost, kept) = (Authority.Issue("CN=ci"), Authority.Issue("CN=ci"));
        _folder.Write("revoked.pem", Authority.Revoke());
        Configure(""" "principal": "cn", "revoked": "revoked.pem" """);
        ReadAgain();
        using var client = Authority.ClientOf(_host.Address, lost);
        using var events = await EventReader.OpenAsync(client, "prefix=jobs");
        await events.NextAsync();
        using var other = Authority.ClientOf(_host.Address, kept);
        using var below = Authority.ClientOf(_host.Address, Department.Issue("CN=ci"), Department.Authority);
        foreach (var one in new[] { client, other, below }) Assert.Equal("ci", await WhoAmIAsync(one));

        _folder.Write("revoked.pem", $"{Authority.Revoke(lost)}\n{Authority.Revoke(Department.Authority)}");
        ReadAgain();

        Assert.Null(await WhoAmIAsync(client));
        Assert.Null(await LastAsync(events));
        Assert.Null(await WhoAmIAsync(below));
        Assert.Equal("ci", await WhoAmIAsync(other));
    }

    [Fact]
    public async Task ListOfRevokedOnes_ThatIsWrong_LeavesTheOneBeforeInForce()
    {
        var lost = Authority.Issue("CN=ci");
        var good = Authority.Revoke(lost);
        _folder.Write("ca.pem", Authority.Pem + "\n" + Department.Pem);
        _folder.Write("revoked.pem", good);
        Configure(""" "principal": "cn", "revoked": "revoked.pem" """);
        ReadAgain();
        using var client = Authority.ClientOf(_host.Address, lost);
        Assert.Null(await WhoAmIAsync(client));

        foreach (var (text, said) in new[]
        {
            ("", "no list"), (Authority.Pem, "'CERTIFICATE'"), (good[..^40], "cut off"), (good + good[..80], "cut off"),
            (PemEncoding.WriteString("X509 CRL", [1, 2, 3]), "cannot be read"), (Stranger.Revoke(), "none of the authorities"),
            (Department.Revoke() + "\n" + Stranger.Revoke(), "none of the authorities"), (Authority.RevokeInPart(), "not the whole list"),
        })
        {
            _folder.Write("revoked.pem", text);
            ReadAgain();
            Assert.Contains(_host.Log.Texts, line => line.Contains("'revoked.pem' has", StringComparison.Ordinal)
                && line.Contains(said, StringComparison.Ordinal));
            Assert.Null(await WhoAmIAsync(client));
        }

        _folder.Write("revoked.pem", Department.Revoke());
        ReadAgain();
        Assert.Equal("ci", await WhoAmIAsync(client));
    }

    [Fact]
    public async Task Certificates_OfNoKindAnyLonger_EndTheirWatches()
    {
        using var client = Authority.ClientOf(_host.Address, Authority.Issue("CN=ci"));
        using var events = await EventReader.OpenAsync(client, "prefix=jobs");
        await events.NextAsync();

        _folder.Write("access.json", """{ "rules": [ { "principal": "*", "prefix": "jobs", "verbs": ["read"] } ] }""");
        ReadAgain();

        Assert.Null(await WhoAmIAsync(client));
        Assert.Null(await LastAsync(events));
    }

    [Fact]
    public async Task Certificate_InAHeader_IsNobodys()
    {
        using var certificate = Authority.Issue("CN=ci");
        using var client = Authority.ClientOf(_host.Address, certificate: null);
        foreach (var name in new[] { "Client-Cert", "X-Client-Cert", "X-ARR-ClientCert", "X-SSL-CERT", "X-Forwarded-Client-Cert" })
            client.DefaultRequestHeaders.Add(name, Convert.ToBase64String(certificate.RawData));

        Assert.Null(await WhoAmIAsync(client));
    }

    [Fact]
    public async Task Certificate_ThatHasTheNameOfAGroup_IsNotInIt()
    {
        Configure(
            """ "principal": "cn" """,
            """, "groups": { "ops": ["ann"] }""");
        var text = File.ReadAllText(_folder.AccessFile);
        _folder.Write("access.json", text.Replace(
            "\"rules\": [", "\"rules\": [ { \"group\": \"ops\", \"prefix\": \"\", \"verbs\": [\"read\"] },", StringComparison.Ordinal));
        ReadAgain();
        foreach (var (name, status) in new[] { ("ann", HttpStatusCode.OK), ("ops", HttpStatusCode.Forbidden) })
        {
            using var client = Authority.ClientOf(_host.Address, Authority.Issue($"CN={name}"));
            using var reply = await client.GetAsync("/v1/leases/other");
            Assert.Equal((name, status), (name, reply.StatusCode));
        }
    }

    [Fact]
    public async Task Certificates_AreAskedFor_OnceTheFileHasThem()
    {
        _folder.Write("access.json", """{ "rules": [] }""");
        ReadAgain();
        using var before = Authority.ClientOf(_host.Address, Authority.Issue("CN=ci"));
        Assert.Null(await WhoAmIAsync(before));

        Configure(""" "principal": "cn" """);
        ReadAgain();

        Assert.Null(await WhoAmIAsync(before));
        using var after = Authority.ClientOf(_host.Address, Authority.Issue("CN=ci"));
        Assert.Equal("ci", await WhoAmIAsync(after));
    }

    private void Configure(string section, string more = "") => _folder.Write("access.json", $$"""
        {
          "rules": [ { "principal": "*", "prefix": "jobs", "verbs": ["read", "hold"] } ],
          "certificates": { "authorities": "ca.pem", {{section}} }{{more}}
        }
        """);

    private void ReadAgain() => _host.Services.GetRequiredService<AccessFile>().Refresh();

    private async Task<string?> LastAsync(EventReader events)
    {
        var reading = events.NextAsync();
        await _time.AdvanceUntilAsync(
            () =>
            {
                if (reading is { IsCompletedSuccessfully: true, Result: ":" }) reading = events.NextAsync();
                return reading.IsCompleted;
            },
            TimeSpan.FromSeconds(1));
        return await reading;
    }

    /// <summary>The principal that a caller is taken for; null where it is refused as nobody's.</summary>
    private static async Task<string?> WhoAmIAsync(HttpClient client, string? authorization = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/whoami")
        {
            Version = client.DefaultRequestVersion, VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var reply = await client.SendAsync(request);
        if (reply.StatusCode == HttpStatusCode.Unauthorized) return null;
        Assert.Equal(HttpStatusCode.OK, reply.StatusCode);
        return (await reply.Content.ReadFromJsonAsync(LeaseJson.Default.CallerInfo))!.Principal;
    }
}
