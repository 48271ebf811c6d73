using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>HTTP/2 is spoken over TLS, where the two sides agree on it; without TLS it is HTTP/1.1.</summary>
public sealed class ProtocolTests
{
    [Theory]
    [InlineData("http://127.0.0.1:0", "1.1")]
    [InlineData("https://127.0.0.1:0", "2.0")]
    public async Task Call_WhenItsClientWouldLikeHttp2_IsAnsweredInWhatTheAddressSpeaks(string url, string version)
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(200));
        var leases = new ScriptedLeases();
        await using var host = await GatewayHost.StartAsync(
            leases,
            url: url,
            services: services => services.Configure<KestrelServerOptions>(
                kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = certificate)));
        using var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, presented, _, _) =>
            presented?.GetCertHashString() == certificate.GetCertHashString();
        using var client = new HttpClient(handler) { BaseAddress = host.Address, DefaultRequestVersion = HttpVersion.Version20 };
        foreach (var path in new[] { "/v1/leases/a%2Fb", "/v1/leases/a/b?consistent=true" })
        {
            using var response = await client.GetAsync(path);
            Assert.Equal((HttpStatusCode.OK, Version.Parse(version)), (response.StatusCode, response.Version));
        }

        Assert.All(leases.Asked, asked => Assert.Equal("a/b", ((GetLeaseRequest)asked).Resource));
        using var wrong = await client.GetAsync("/V1/leases/a");
        Assert.Equal(HttpStatusCode.NotFound, wrong.StatusCode);
    }
}
