using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using OrleansLeases.Gateway.Access;

namespace OrleansLeases.Gateway.Hosting;

/// <summary>What all https addresses of a server have in common: its certificate, and whether it asks for those of clients.</summary>
internal static class HttpsAddresses
{
    private static readonly object IntermediatesKey = new();

    /// <summary>Sets it up.</summary>
    /// <param name="kestrel">The server.</param>
    /// <param name="certificate">Its certificate; null for what Kestrel's own configuration says.</param>
    public static void UseHttps(this KestrelServerOptions kestrel, ServerCertificate? certificate)
    {
        certificate?.LogTo(kestrel.ApplicationServices);
        var access = kestrel.ApplicationServices.GetService<AccessFile>();
        kestrel.ConfigureHttpsDefaults(https =>
        {
            certificate?.Use(https);
            https.OnAuthenticate = (connection, tls) =>
            {
                if (certificate is not null)
                {
                    // The selector gives the certificate alone, without those between it and its root.
                    tls.ServerCertificateSelectionCallback = null;
                    tls.ServerCertificateContext = certificate.Current;
                }

                // Where Kestrel's own configuration asks for them, it decides as well which it takes.
                if (access?.Policy.Certificates is null || https.ClientCertificateMode != ClientCertificateMode.NoCertificate) return;
                tls.ClientCertificateRequired = true;
                // A connection that is taken up again would come without the intermediate certificates.
                tls.AllowTlsResume = false;
                // Any is taken here, and none: the gateway refuses in words what TLS would with an alert.
                tls.RemoteCertificateValidationCallback = (_, _, chain, _) =>
                {
                    // As bytes: the certificates themselves go with the handshake.
                    if (chain?.ChainPolicy.ExtraStore is { Count: > 0 } sent)
                        connection.Items[IntermediatesKey] = sent.Select(certificate => certificate.RawData).ToArray();
                    return true;
                };
            };
        });
    }

    /// <summary>What came with the certificate that a caller has shown.</summary>
    public static IReadOnlyList<byte[]> IntermediatesOf(HttpContext context) =>
        context.Features.Get<IConnectionItemsFeature>()?.Items.TryGetValue(IntermediatesKey, out var sent) == true ? (byte[][])sent! : [];
}
