using System.Formats.Asn1;
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

    /// <summary>A certificate that somebody has signed with the key of a client's, which is no authority.</summary>
    public X509Certificate2 Forge(X509Certificate2 client, string subject)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issuer = client.GetECDsaPrivateKey()!;
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(ForClients)], critical: false));
        using var certificate = request.Create(
            client.SubjectName, X509SignatureGenerator.CreateForECDsa(issuer), Now.AddDays(-1), Now.AddDays(1),
            RandomNumberGenerator.GetBytes(8));
        var forged = certificate.CopyWithPrivateKey(key);
        _issued.Add(forged);
        return forged;
    }

    /// <summary>The list of those that it has revoked, as PEM.</summary>
    public string Revoke(params X509Certificate2[] certificates)
    {
        var list = new CertificateRevocationListBuilder();
        foreach (var certificate in certificates) list.AddEntry(certificate, Now);
        // A list that should have been followed by another one for long is one still.
        return PemEncoding.WriteString(
            "X509 CRL", list.Build(_authority, 1, Now.AddDays(-1), HashAlgorithmName.SHA256, thisUpdate: Now.AddDays(-2)));
    }

    /// <summary>The same list, with a critical extension.</summary>
    public string RevokeInPart()
    {
        var list = new AsnReader(Convert.FromBase64String(PemBody(Revoke())), AsnEncodingRules.DER).ReadSequence().ReadSequence();
        var signed = new AsnWriter(AsnEncodingRules.DER);
        using (signed.PushSequence())
        {
            while (list.HasData && list.PeekTag().TagClass == TagClass.Universal) signed.WriteEncodedValue(list.ReadEncodedValue().Span);
            using (signed.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 0)))
            using (signed.PushSequence())
            using (signed.PushSequence())
            {
                // The number of the list that this one adds to.
                signed.WriteObjectIdentifier("2.5.29.27");
                signed.WriteBoolean(true);
                signed.WriteOctetString([2, 1, 1]);
            }
        }

        var all = new AsnWriter(AsnEncodingRules.DER);
        using (all.PushSequence())
        {
            all.WriteEncodedValue(signed.Encode());
            using (all.PushSequence()) all.WriteObjectIdentifier("1.2.840.10045.4.3.2");
            using var key = _authority.GetECDsaPrivateKey()!;
            all.WriteBitString(key.SignData(signed.Encode(), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
        }

        return PemEncoding.WriteString("X509 CRL", all.Encode());
    }

    private static string PemBody(string pem) => pem[PemEncoding.Find(pem).Base64Data];

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
