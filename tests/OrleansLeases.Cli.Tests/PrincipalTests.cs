using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using OrleansLeases.Cli.Tests.Infrastructure;
using OrleansLeases.Testing;

namespace OrleansLeases.Cli.Tests;

/// <summary>Callers that come with a certificate or a JWT, to a server whose access file takes both.</summary>
public sealed class PrincipalTests : IAsyncLifetime
{
    private const string ForClients = "1.3.6.1.5.5.7.3.2";

    private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;
    private readonly TestAuthority _authority = new();
    private readonly ECDsa _issuer = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private ServerProcess _server = null!;

    private string AuthorityFile => PathOf("ca.pem");

    public async Task InitializeAsync()
    {
        var (certificate, key) = _authority.Sign("127.0.0.1");
        Write("tls.crt", certificate);
        Write("tls.key", key);
        Write("ca.pem", _authority.Pem);
        Write("issuer.pem", _issuer.ExportSubjectPublicKeyInfoPem());
        Write("access.json", """
            {
              "rules": [ { "principal": "*", "prefix": "jobs", "verbs": ["read", "hold"] } ],
              "certificates": { "authorities": "ca.pem", "principal": "cn" },
              "jwt": { "issuer": "https://issuer.example.org", "audience": "leases", "keys": "issuer.pem" }
            }
            """);
        _server = await ServerProcess.StartAsync(
            "--memory", "--urls", "https://127.0.0.1:0", "--cert", PathOf("tls.crt"), "--key", PathOf("tls.key"),
            "--access", PathOf("access.json"));
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _authority.Dispose();
        _issuer.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Certificate_OrToken_IsItsPrincipal_AndATokenGoesFirst()
    {
        // By way of an authority below, whose certificate comes with it.
        using var department = new TestAuthority("Department", _authority);
        var (certificate, key) = department.Sign("ci", [ForClients]);
        Write("ci.crt", certificate);
        Write("ci.key", key);
        Write("ci.pem", certificate + "\n" + key);

        Assert.Equal("ci", await WhoAmIAsync([], "--client-cert", PathOf("ci.crt"), "--client-key", PathOf("ci.key")));
        Assert.Equal("ci", await WhoAmIAsync([("LEASES_CLIENT_CERT", PathOf("ci.crt")), ("LEASES_CLIENT_KEY", PathOf("ci.key"))]));
        Assert.Equal("ci", await WhoAmIAsync([("LEASES_CLIENT_CERT", PathOf("ci.pem"))]));
        var token = TokenOf("ann");
        Assert.Equal("ann", await WhoAmIAsync([("LEASES_TOKEN", token)], "--client-cert", PathOf("ci.pem")));
        var wrong = await WhoAmIAsync([("LEASES_TOKEN", token[..^1])], "--client-cert", PathOf("ci.pem"));
        Assert.StartsWith("leases: The JWT is not valid", wrong, StringComparison.Ordinal);
        Assert.StartsWith("leases: The call has no credential", await WhoAmIAsync([]), StringComparison.Ordinal);
        Assert.DoesNotContain(token[..20], _server.Tool.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_HoldsWithACertificate_ThatItsCommandDoesNotFind()
    {
        var (certificate, key) = _authority.Sign("ci", [ForClients]);
        Write("ci.pem", certificate + "\n" + key);

        var result = await Tool.RunAsync(
            _server.Address, [("LEASES_CLIENT_CERT", PathOf("ci.pem")), ("LEASES_CACERT", AuthorityFile)],
            "run", "jobs/1", "--owner", "ci", "--", "sh", "-c", "echo \"<$LEASES_CLIENT_CERT>\"");

        Assert.Equal((0, "<>\n"), (result.Code, result.Out));
    }

    [Theory]
    [InlineData("--client-cert", "there-is-none.pem", "there-is-none.pem")]
    [InlineData("--client-cert", "ca.pem", "ca.pem")]
    [InlineData("--client-key", "tls.key", "--client-cert")]
    public async Task Certificate_ThatCannotBeUsed_IsWrongUsage(string option, string file, string said)
    {
        var result = await Tool.RunAsync(_server.Address, "whoami", "--cacert", AuthorityFile, option, PathOf(file));

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
    }

    private string PathOf(string name) => Path.Combine(_folder, name);

    private void Write(string name, string text) => File.WriteAllText(PathOf(name), text);

    private async Task<string> WhoAmIAsync((string, string)[] environment, params string[] options)
    {
        var result = await Tool.RunAsync(_server.Address, environment, ["whoami", "--cacert", AuthorityFile, .. options]);
        return (result.Code == 0 ? result.Out : result.Error).Split('\n')[0];
    }

    private string TokenOf(string subject)
    {
        var expires = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeSeconds();
        var claims = $$"""{"iss":"https://issuer.example.org","aud":"leases","sub":"{{subject}}","exp":{{expires}}}""";
        var input = $"{Encode("""{"alg":"ES256"}""")}.{Encode(claims)}";
        return $"{input}.{Base64Url.EncodeToString(_issuer.SignData(Encoding.ASCII.GetBytes(input), HashAlgorithmName.SHA256))}";
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
