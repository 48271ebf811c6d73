using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using OrleansLeases.Gateway.Tests.Hosting;

namespace OrleansLeases.Gateway.Tests;

/// <summary>The examples of docs/access.md.</summary>
public sealed class ReadmeExamples
{
    [Fact]
    public async Task Application_ThatAsksForCertificates_LeavesTheirJudgementToTheGateway()
    {
        using var certificates = new Certificates("authority", TimeProvider.System.GetUtcNow());
        using var unknown = new Certificates("another authority", TimeProvider.System.GetUtcNow());
        using var own = certificates.Issue("CN=localhost", names => names.AddDnsName("localhost"), Certificates.ForServers);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            // README: An application asks for certificates
            kestrel.ConfigureHttpsDefaults(https =>
            {
                https.ClientCertificateMode = ClientCertificateMode.AllowCertificate;
                https.AllowAnyClientCertificate();
            });

            // README: end
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(own));
        });
        await using var application = builder.Build();
        application.MapGet("/", (HttpContext context) => context.Connection.ClientCertificate?.Subject ?? "none");
        await application.StartAsync();

        foreach (var shown in new X509Certificate2?[] { null, unknown.Issue("CN=worker") })
        {
            using var client = certificates.ClientOf(new Uri(application.Urls.Single()), shown);
            Assert.Equal(shown?.Subject ?? "none", await client.GetStringAsync("/"));
        }
    }
}
