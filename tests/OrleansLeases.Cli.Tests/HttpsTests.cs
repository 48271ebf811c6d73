using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using OrleansLeases.Cli.Tests.Infrastructure;

namespace OrleansLeases.Cli.Tests;

/// <summary>A server with a certificate of its own, which is renewed while it runs.</summary>
public sealed class HttpsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;
    private readonly ECDsa _authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _authority;

    public HttpsTests()
    {
        var request = new CertificateRequest("CN=Test authority", _authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(Now.AddDays(-1), Now.AddDays(30));
        File.WriteAllText(AuthorityFile, _authority.ExportCertificatePem());
    }

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    private string AuthorityFile => Path.Combine(_folder, "ca.pem");

    private string CertificateFile => Path.Combine(_folder, "tls.crt");

    private string KeyFile => Path.Combine(_folder, "tls.key");

    public void Dispose()
    {
        _authority.Dispose();
        _authorityKey.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Server_WithACertificate_IsTrustedByItsAuthority_AndByNobodyElse()
    {
        Renew("CN=first");
        await using var server = await StartAsync();

        Assert.Equal(0, (await Tool.RunAsync(server.Address, "acquire", "r", "--owner", "ann", "--cacert", AuthorityFile)).Code);
        Assert.Equal(0, (await Tool.RunAsync(server.Address, [("LEASES_CACERT", AuthorityFile)], "get", "r")).Code);
        Assert.Equal(5, (await Tool.RunAsync(server.Address, "get", "r")).Code);
    }

    [Fact]
    public async Task Certificate_ThatIsRenewed_IsShownByTheRunningServer_UnlessItCannotBeUsed()
    {
        Renew("CN=first");
        await using var server = await StartAsync();
        Assert.Equal("CN=first", await ShownAsync(server.Address));

        // As a secret is mounted: what the server names is a link, and what that leads to is swapped.
        foreach (var file in new[] { CertificateFile, KeyFile })
        {
            File.Move(file, file + ".1");
            File.CreateSymbolicLink(file, file + ".1");
        }

        Renew("CN=second");
        string shown;
        do shown = await ShownAsync(server.Address);
        while (shown == "CN=first");
        Assert.Equal("CN=second", shown);

        File.WriteAllText(CertificateFile, "nothing");
        await Eventually.TrueAsync(
            () =>
            {
                Assert.Equal("CN=second", ShownAsync(server.Address).GetAwaiter().GetResult());
                return server.Tool.Error.Contains("stays the old one", StringComparison.Ordinal);
            },
            () => $"It said nothing of it: {server.Tool.Error}");
    }

    [Theory]
    [InlineData("https://127.0.0.1:0", "nothing", "tls.crt")]
    [InlineData("https://127.0.0.1:0", null, "tls.crt")]
    [InlineData("https://127.0.0.1:0", "of another key", "tls.key")]
    [InlineData("http://127.0.0.1:0", "good", "https")]
    public async Task Serve_WithACertificateThatCannotBeUsed_SaysWhy(string url, string? certificate, string said)
    {
        Renew("CN=first");
        if (certificate is null) File.Delete(CertificateFile);
        else if (certificate == "nothing") File.WriteAllText(CertificateFile, certificate);
        else if (certificate == "of another key") File.WriteAllText(KeyFile, _authorityKey.ExportPkcs8PrivateKeyPem());

        var result = await Tool.RunAsync(null, "serve", "--memory", "--urls", url, "--cert", CertificateFile, "--key", KeyFile);

        Assert.Equal((2, ""), (result.Code, result.Out));
        Assert.Contains(said, result.Error, StringComparison.Ordinal);
        Assert.Equal(2, (await Tool.RunAsync(null, "serve", "--memory", "--cert", CertificateFile)).Code);
    }

    private Task<ServerProcess> StartAsync() => ServerProcess.StartAsync(
        "--memory", "--urls", "https://127.0.0.1:0", "--cert", CertificateFile, "--key", KeyFile);

    private void Renew(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_authority, Now.AddDays(-1), Now.AddDays(10), RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(KeyFile, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(CertificateFile, certificate.ExportCertificatePem());
    }

    private static async Task<string> ShownAsync(string address)
    {
        var server = new Uri(address);
        using var connection = new TcpClient();
        await connection.ConnectAsync(server.Host, server.Port);
        await using var stream = new SslStream(connection.GetStream());
        var shown = "";
        await stream.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = server.Host,
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            RemoteCertificateValidationCallback = (_, certificate, _, _) => (shown = certificate!.Subject).Length > 0,
        });
        Assert.Equal(SslApplicationProtocol.Http2, stream.NegotiatedApplicationProtocol);
        return shown;
    }
}
