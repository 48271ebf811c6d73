using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OrleansLeases.Gateway.Tests.Hosting;

/// <summary>An authority that issues certificates.</summary>
internal sealed class Certificates : IDisposable
{
    public const string ForClients = "1.3.6.1.5.5.7.3.2";
    public const string ForServers = "1.3.6.1.5.5.7.3.1";

    private readonly X509Certificate2 _authority;
    private readonly List<X509Certificate2> _issued = [];

    public Certificates(string name, DateTimeOffset now)
        : this(name, now, issuer: null)
    {
    }

    private Certificates(string name, DateTimeOffset now, X509Certificate2? issuer)
    {
        Now = now;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        if (issuer is null)
        {
            _authority = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(3000));
            return;
        }

        using var certificate = request.Create(issuer, now.AddDays(-1), now.AddDays(2000), RandomNumberGenerator.GetBytes(8));
        _authority = certificate.CopyWithPrivateKey(key);
    }

    /// <summary>The certificate of the authority itself.</summary>
    public X509Certificate2 Authority => _authority;

    /// <summary>The same, as PEM.</summary>
    public string Pem => _authority.ExportCertificatePem();

    private DateTimeOffset Now { get; }

    /// <summary>Another that this one has issued.</summary>
    public Certificates Below(string name) => new(name, Now, _authority);

    /// <summary>A certificate with its key, from yesterday to a month from now unless said otherwise.</summary>
    public X509Certificate2 Issue(
        string subject, Action<SubjectAlternativeNameBuilder>? names = null, string? usage = ForClients, int from = -1, int to = 30)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        if (usage is not null) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        var alternatives = new SubjectAlternativeNameBuilder();
        if (names is not null)
        {
            names(alternatives);
            request.CertificateExtensions.Add(alternatives.Build());
        }

        using var certificate = request.Create(_authority, Now.AddDays(from), Now.AddDays(to), RandomNumberGenerator.GetBytes(8));
        var issued = certificate.CopyWithPrivateKey(key);
        _issued.Add(issued);
        return issued;
    }

    /// <summary>A client that shows a certificate, to a server whose own is of this authority.</summary>
    public HttpClient ClientOf(Uri server, X509Certificate2? certificate, params X509Certificate2[] intermediates)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, shown, _, _) => shown?.Issuer == _authority.Subject;
        var ssl = handler.SslOptions;
        ssl.ClientCertificateContext = certificate is null
            ? null : SslStreamCertificateContext.Create(certificate, [.. intermediates], offline: true);
        return new HttpClient(handler) { BaseAddress = server, DefaultRequestVersion = HttpVersion.Version20 };
    }

    public void Dispose()
    {
        _authority.Dispose();
        foreach (var certificate in _issued) certificate.Dispose();
    }
}
