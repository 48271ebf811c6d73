using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OrleansLeases.Testing;

/// <summary>An authority that signs certificates for tests.</summary>
public sealed class TestAuthority : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;
    private readonly string _between;

    /// <summary>Makes one.</summary>
    /// <param name="name">How its certificate calls it.</param>
    /// <param name="above">The one that signs it; where left out it is one of its own.</param>
    public TestAuthority(string name = "Test authority", TestAuthority? above = null)
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        // One authority may follow another under the same name.
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        if (above is null)
        {
            _certificate = request.CreateSelfSigned(Now.AddDays(-2), Now.AddDays(30));
            _between = "";
            return;
        }

        request.CertificateExtensions.Add(above.Identifier);
        using var signed = request.Create(above._certificate, Now.AddDays(-2), Now.AddDays(20), RandomNumberGenerator.GetBytes(8));
        _certificate = signed.CopyWithPrivateKey(_key);
        _between = $"\n{Pem}{above._between}";
    }

    /// <summary>Its certificate, as PEM.</summary>
    public string Pem => _certificate.ExportCertificatePem();

    private X509AuthorityKeyIdentifierExtension Identifier =>
        X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, includeKeyIdentifier: true, includeIssuerAndSerial: false);

    private static DateTimeOffset Now => TimeProvider.System.GetUtcNow();

    /// <summary>Signs a certificate.</summary>
    /// <param name="name">Whose; a name that servers are asked for where it is no address.</param>
    /// <param name="uses">What it is for, by their numbers; for anything where left out.</param>
    /// <param name="isOver">Whether it has run out.</param>
    /// <returns>It, with those between it and its root, and its key, as PEM.</returns>
    public (string Certificate, string Key) Sign(string name, string[]? uses = null, bool isOver = false)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address)) names.AddIpAddress(address);
        else names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(Identifier);
        if (uses is not null)
            request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([.. uses.Select(use => new Oid(use))], critical: true));
        using var certificate = request.Create(
            _certificate, Now.AddDays(-1), isOver ? Now.AddHours(-1) : Now.AddDays(10), RandomNumberGenerator.GetBytes(8));
        return (certificate.ExportCertificatePem() + _between, key.ExportPkcs8PrivateKeyPem());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }
}
