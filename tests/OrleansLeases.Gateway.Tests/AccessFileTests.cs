using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using OrleansLeases.Gateway.Access;
using OrleansLeases.Gateway.JwtBearer;
using OrleansLeases.Gateway.Tests.Hosting;
using OrleansLeases.Testing;

namespace OrleansLeases.Gateway.Tests;

/// <summary>What an access file gives, and what is said of one that is wrong.</summary>
public sealed class AccessFileTests : IDisposable
{
    private const string Good = """
        {
          // Who deploys.
          "groups": { "ops": ["alice", "ci"] },
          "rules": [
            { "principal": "ci", "prefix": "jobs/", "verbs": ["read", "hold"], "owners": ["ci", "deploy"] },
            { "group": "ops", "prefix": "", "verbs": ["read", "break", "admin"], },
            { "principal": "*", "prefix": "public", "verbs": ["read"] },
          ],
          "quotas": [
            { "group": "ops", "prefix": "", "leases": 1, "callsPerSecond": 10 },
            { "principal": "ci", "prefix": "", "leases": 5 },
          ],
        }
        """;

    private readonly string _path = Path.GetTempFileName();

    public void Dispose() => File.Delete(_path);

    [Fact]
    public void Rules_OfAPrincipalItsGroupsAndEverybody_AddUp()
    {
        var policy = PolicyOf(Good);

        var ci = policy.RightsOf("ci", []);
        Assert.True(ci.MayHold("jobs/7", "deploy/1"));
        Assert.False(ci.MayHold("jobsx", "ci"));
        Assert.True(ci.May(LeaseRights.Break, "anything"));
        Assert.True(ci.May(LeaseRights.Admin, ""));
        Assert.Equal(5, Assert.Single(ci.Quotas).Leases);
        var alice = policy.RightsOf("alice", []);
        Assert.False(alice.May(LeaseRights.Hold, "jobs/7"));
        Assert.Equal((1, 10), (alice.Quotas[0].Leases, alice.Quotas[0].CallsPerSecond));
        var stranger = policy.RightsOf("stranger", []);
        Assert.True(stranger.May(LeaseRights.Read, "public/x"));
        Assert.False(stranger.May(LeaseRights.Read, "publicx"));
        Assert.False(stranger.May(LeaseRights.Read, "jobs"));
        Assert.True(policy.RightsOf("stranger", ["ops"]).May(LeaseRights.Admin, ""));
        Assert.False(stranger.May(LeaseRights.Admin, ""));
    }

    [Theory]
    [InlineData("""{ "rules": [ { "principal": "a", "group": "b", "prefix": "", "verbs": ["read"] } ] }""", 1, "either")]
    [InlineData("{ \"rules\": [\n { \"prefix\": \"\", \"verbs\": [\"read\"] } ] }", 2, "either")]
    [InlineData("{ \"rules\": [\n\n { \"principal\": \"a\", \"verbs\": [\"read\"] } ] }", 3, "prefix")]
    [InlineData("{ \"rules\": [\n { \"principal\": \"a\", \"prefix\": \"\" } ] }", 2, "verbs")]
    [InlineData("{ \"rules\": [\n { \"principal\": \"a\", \"prefix\": \"\", \"verbs\": [\"write\"] } ] }", 2, "'write'")]
    [InlineData("{ \"rules\": [\n { \"principal\": \"a\", \"prefix\": \"\", \"verbs\": [null] } ] }", 2, "null")]
    [InlineData("{ \"rules\": [\n { \"principal\": \"a\", \"prefix\": \"x//y\", \"verbs\": [\"read\"] } ] }", 2, "x//y")]
    [InlineData("{ \"rules\": [\n\n { \"principal\": \"a/../b\", \"prefix\": \"\", \"verbs\": [\"read\"] } ] }", 3, "a/../b")]
    [InlineData("{ \"rules\": [\n { \"principal\": \"a\", \"prefix\": \"x\", \"verbs\": [\"admin\"] } ] }", 2, "admin")]
    [InlineData("{ \"rules\": [\n { \"principal\": \"a\", \"prefix\": \"\", \"verbs\": [\"read\"], \"owner\": \"x\" } ] }", 2, "owner")]
    [InlineData("{ \"rules\": [\n null ] }", 2, "null")]
    [InlineData("{ \"rules\": null }", 1, "null")]
    [InlineData("{ \"quotas\": null }", 1, "null")]
    [InlineData("{ \"keys\": null }", 1, "null")]
    [InlineData("{ \"groups\": null }", 1, "null")]
    [InlineData("{ \"groups\": { \"ops\": null } }", 1, "'ops'")]
    [InlineData("{ \"groups\": { \"ops\": [null] } }", 1, "'ops'")]
    [InlineData("{ \"rules\": [\n { \"principal\": \"a\", \"prefix\": \"\", \"verbs\": [\"hold\"], \"owners\": null } ] }", 2, "null")]
    [InlineData("{ \"keys\": [\n { \"id\": \"0123456789abcdef\", \"principal\": \"*\", \"sha256\": \"SHA\" } ] }", 2, "'*'")]
    [InlineData("{ \"rules\": [\n { \"principal\": \"a\", \"prefix\": \"/\", \"verbs\": [\"read\"] } ] }", 2, "'/'")]
    [InlineData("{ \"rule\": [] }", 1, "rule")]
    [InlineData("{ \"rules\": [], \"rules\": [] }", 1, "rules")]
    [InlineData("{\n\n \"quotas\": [ { \"principal\": \"a\", \"prefix\": \"\" } ] }", 3, "bounds nothing")]
    [InlineData("{\n \"quotas\": [ { \"principal\": \"a\", \"prefix\": \"\", \"leases\": -1 } ] }", 2, "below 0")]
    [InlineData("{\n \"quotas\": [ { \"principal\": \"a\", \"prefix\": \"\", \"leases\": \"1\" } ] }", 2, "")]
    [InlineData("{\n \"jwt\": { \"audience\": \"a\", \"keys\": \"k\" } }", 2, "'issuer'")]
    [InlineData("{\n \"jwt\": { \"issuer\": \"i\", \"keys\": \"k\" } }", 2, "'audience'")]
    [InlineData("{\n \"jwt\": { \"issuer\": \"i\", \"audience\": \"a\" } }", 2, "either 'authority'")]
    [InlineData("{\n \"jwt\": { \"issuer\": \"i\", \"audience\": \"a\", \"keys\": \"k\", \"authority\": \"https://i\" } }", 2, "either")]
    [InlineData("{\n \"jwt\": { \"issuer\": \"i\", \"audience\": \"a\", \"authority\": \"http://example.org\" } }", 2, "https")]
    [InlineData("{\n \"jwt\": { \"issuer\": \"i\", \"audience\": \"a\", \"authority\": \"http://localhost.evil\" } }", 2, "https")]
    [InlineData("{\n \"jwt\": { \"issuer\": \"i\", \"audience\": \"a\", \"authority\": \"file:///etc\" } }", 2, "https")]
    [InlineData("{\n \"jwt\": { \"issuer\": \"i\", \"audience\": \"a\", \"keys\": \"k\", \"principalClaim\": \"\" } }", 2, "no name")]
    [InlineData("{\n \"jwt\": { \"issuer\": \"i\", \"audience\": [\"a\"], \"keys\": \"k\" } }", 2, "wrong type")]
    [InlineData("{\n \"jwt\": { \"issuers\": \"i\" } }", 2, "'issuers'")]
    [InlineData("{\n \"certificates\": { \"principal\": \"cn\" } }", 2, "'authorities'")]
    [InlineData("{\n \"certificates\": { \"authorities\": \"ca.pem\" } }", 2, "'principal'")]
    [InlineData("{\n \"certificates\": { \"authorities\": \"ca.pem\", \"principal\": \"CN\" } }", 2, "'CN'")]
    [InlineData("{\n \"certificates\": { \"authorities\": \"ca.pem\", \"principal\": \"uri\" } }", 2, "'uriPrefix'")]
    [InlineData("{\n \"certificates\": { \"authorities\": \"a\", \"principal\": \"uri\", \"uriPrefix\": \"a://a\" } }", 2, "'uriPrefix'")]
    [InlineData("{\n \"certificates\": { \"authorities\": \"a\", \"principal\": \"dns\", \"uriPrefix\": \"a://a/\" } }", 2, "'uriPrefix'")]
    [InlineData("{\n", 2, "")]
    [InlineData("", 1, "")]
    [InlineData("null", 1, "null")]
    public void File_ThatIsWrong_IsRefusedWithLineAndReason(string text, int line, string reason)
    {
        var error = Assert.Throws<InvalidDataException>(() => PolicyOf(text.Replace("SHA", new string('a', 64), StringComparison.Ordinal)));

        Assert.StartsWith($"access.json({line}): ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("OrleansLeases", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Change_OfTheFile_HoldsFromTheNextLookOn_UnlessItIsWrong()
    {
        File.WriteAllText(_path, Good);
        var file = new AccessFile(_path, NullLogger<AccessFile>.Instance);
        Assert.False(file.Policy.RightsOf("bob", []).May(LeaseRights.Read, "jobs"));

        File.WriteAllText(_path, Good.Replace("alice", "bob", StringComparison.Ordinal));
        File.SetLastWriteTimeUtc(_path, File.GetLastWriteTimeUtc(_path).AddSeconds(1));
        file.Refresh();
        Assert.True(file.Policy.RightsOf("bob", []).May(LeaseRights.Read, "jobs"));

        var right = file.Policy;
        File.WriteAllText(_path, "{ \"rules\": [ }");
        file.Refresh();
        Assert.Same(right, file.Policy);
        File.Delete(_path);
        file.Refresh();
        Assert.Same(right, file.Policy);
    }

    [Fact]
    public void Change_ThatCouldNotBeRead_IsReadLater()
    {
        File.WriteAllText(_path, Good);
        var file = new AccessFile(_path, NullLogger<AccessFile>.Instance);
        File.WriteAllText(_path, Good.Replace("alice", "bob", StringComparison.Ordinal));
        File.SetLastWriteTimeUtc(_path, File.GetLastWriteTimeUtc(_path).AddSeconds(1));

        using (new FileStream(_path, FileMode.Open, FileAccess.ReadWrite, FileShare.None)) file.Refresh();
        Assert.False(file.Policy.RightsOf("bob", []).May(LeaseRights.Read, "jobs"));
        file.Refresh();

        Assert.True(file.Policy.RightsOf("bob", []).May(LeaseRights.Read, "jobs"));
    }

    [Fact]
    public void Section_WhoseFileIsWrong_IsRefusedWithLineAndReason()
    {
        using var folder = new AccessFolder();
        using var keys = new Jwts();
        using var authority = new Certificates("Clients", new ManualTimeProvider().GetUtcNow());
        using var curve = ECDsa.Create();
        using var weak = RSA.Create(1024);
        const string Certificates = """ "certificates": { "authorities": "it", "principal": "cn" } """;
        const string Tokens = """ "jwt": { "issuer": "i", "audience": "a", "keys": "it" } """;
        foreach (var (section, content, said) in new (string, string?, string)[]
        {
            (Certificates, null, "'it' cannot be read"), (Certificates, "", "no certificate of a root"),
            (Certificates, "x", "no certificate"),
            (Certificates, authority.Below("Department").Pem, "no certificate of a root"),
            (Certificates, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "something else"),
            (Tokens, null, "'it' cannot be read"), (Tokens, "", "no public key"), (Tokens, "{}", "no public key"), (Tokens, "{", "no keys"),
            (Tokens, "{ \"keys\": 7 }", "no keys"), (Tokens, curve.ExportPkcs8PrivateKeyPem(), "private key"),
            (Tokens, curve.ExportECPrivateKeyPem(), "private key"), (Tokens, weak.ExportSubjectPublicKeyInfoPem(), "2048"),
            (Tokens, keys.Set.Replace("\"x\"", "\"d\":\"AAAA\",\"x\"", StringComparison.Ordinal), "private key"),
            (Tokens, """{"keys":[{"kty":"oct","k":"AAAA"}]}""", "no public key"),
        })
        {
            if (content is null) folder.Delete("it");
            else folder.Write("it", content);
            folder.Write("access.json", $"{{\n\n{section} }}");

            var error = Assert.Throws<InvalidDataException>(() => new AccessFile(
                folder.AccessFile, NullLogger<AccessFile>.Instance, new JwtVerifiers(NullLoggerFactory.Instance, TimeProvider.System)));

            Assert.StartsWith($"{folder.AccessFile}(3): 'it' ", error.Message, StringComparison.Ordinal);
            Assert.Contains(said, error.Message, StringComparison.Ordinal);
        }

        var lacks = Assert.Throws<InvalidDataException>(() => new AccessFile(folder.AccessFile, NullLogger<AccessFile>.Instance));
        Assert.Contains("AddLeaseJwtBearer", lacks.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Key_ThatWasPastedAsAnId_IsNotQuoted()
    {
        var (_, token) = ApiKeyText.New();

        var error = Assert.Throws<InvalidDataException>(() => PolicyOf($$"""{ "keys": [ { "id": "{{token}}", "principal": "a" } ] }"""));

        Assert.DoesNotContain(token[..8], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_WithoutTheFile_IsRefused()
    {
        File.Delete(_path);

        Assert.ThrowsAny<IOException>(() => new AccessFile(_path, NullLogger<AccessFile>.Instance));
    }

    private static AccessPolicy PolicyOf(string text) => new(AccessText.Read(Encoding.UTF8.GetBytes(text), "access.json"));
}
