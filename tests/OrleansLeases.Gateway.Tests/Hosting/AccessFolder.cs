using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Embedded;
using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>An access file and those that it names, in a folder of their own, and hosts that read them.</summary>
internal sealed class AccessFolder : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("leases-").FullName;

    public string AccessFile => Path.Combine(_folder, "access.json");

    /// <summary>Writes a file, so that whoever looks at its time sees that it has changed.</summary>
    public void Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        var before = File.Exists(path) ? File.GetLastWriteTimeUtc(path) : default;
        File.WriteAllText(path, text);
        if (File.GetLastWriteTimeUtc(path) <= before) File.SetLastWriteTimeUtc(path, before.AddSeconds(1));
    }

    public void Delete(string name) => File.Delete(Path.Combine(_folder, name));

    /// <summary>Starts a host with this access file.</summary>
    /// <param name="leases">The service.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="certificate">The server's own, for https; null for http.</param>
    public Task<GatewayHost> StartAsync(EmbeddedLeases leases, TimeProvider time, X509Certificate2? certificate = null)
    {
        ServerCertificate? own = null;
        if (certificate is not null)
        {
            Write("tls.crt", certificate.ExportCertificatePem());
            Write("tls.key", certificate.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());
            own = new(Path.Combine(_folder, "tls.crt"), Path.Combine(_folder, "tls.key"), TimeProvider.System);
        }

        return GatewayHost.StartAsync(
            leases,
            url: own is null ? "http://127.0.0.1:0" : "https://127.0.0.1:0",
            services: services => services.AddSingleton(time).AddSingleton(leases.ServiceRecords)
                .AddLeaseAccess(AccessFile).AddLeaseJwtBearer()
                .Configure<KestrelServerOptions>(kestrel =>
                {
                    if (own is not null) kestrel.UseHttps(own);
                }));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
