using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OrleansLeases.Gateway.Access;

/// <summary>
/// Whom client certificates are for, as an access file says. TLS has proved that a caller has the key of its certificate; whether anybody
/// here trusts it is found out here, once for a connection. Thread-safe.
/// </summary>
internal sealed class ClientCertificates
{
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";

    private readonly ConditionalWeakTable<X509Certificate2, Verdict> _verdicts = [];
    private readonly CertificateAuthorities _authorities;
    private readonly RevokedCertificates? _revoked;
    private readonly CertificateText _text;

    /// <param name="text">The section of the file.</param>
    /// <param name="authorities">Who may issue them.</param>
    /// <param name="revoked">Those that were revoked; null where nobody says so.</param>
    public ClientCertificates(CertificateText text, CertificateAuthorities authorities, RevokedCertificates? revoked) =>
        (_text, _authorities, _revoked) = (text, authorities, revoked);

    /// <summary>Finds whom a certificate is for.</summary>
    /// <param name="certificate">What the caller has shown.</param>
    /// <param name="intermediates">What came with it.</param>
    /// <param name="now">The time.</param>
    /// <returns>The principal, or why it is nobody's.</returns>
    public (string? Principal, string? Problem) PrincipalOf(
        X509Certificate2 certificate, IReadOnlyList<byte[]> intermediates, DateTimeOffset now)
    {
        if (!_verdicts.TryGetValue(certificate, out var verdict))
            verdict = _verdicts.GetValue(certificate, shown => VerdictOf(shown, intermediates));
        return verdict.Principal is null ? (null, verdict.Problem)
            : now < verdict.NotBefore ? (null, "it is not valid yet")
            : now >= verdict.NotAfter ? (null, "it has expired")
            : (verdict.Principal, null);
    }

    private Verdict VerdictOf(X509Certificate2 certificate, IReadOnlyList<byte[]> intermediates)
    {
        try
        {
            // Each root by itself: of two with one name, such as the old and the new one of an authority, only one would be tried.
            var verdicts = _authorities.Roots.Select(root => VerdictOf(certificate, intermediates, root)).ToArray();
            return verdicts.Where(verdict => verdict.Principal is not null).MaxBy(verdict => verdict.NotAfter) ?? verdicts[0];
        }
        catch (CryptographicException)
        {
            return new Verdict(Problem: "it cannot be read");
        }
    }

    private Verdict VerdictOf(X509Certificate2 certificate, IReadOnlyList<byte[]> intermediates, X509Certificate2 root)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(root);
        chain.ChainPolicy.ExtraStore.AddRange(_authorities.Intermediates);
        foreach (var sent in intermediates) chain.ChainPolicy.ExtraStore.Add(X509CertificateLoader.LoadCertificate(sent));
        // A certificate of a stranger must not have this server call anybody. Decision revoked-by-a-file.
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientAuthentication));
        // The dates are compared with each call instead: connections live long.
        chain.ChainPolicy.VerificationFlags = X509VerificationFlags.IgnoreNotTimeValid;
        var isTrusted = chain.Build(certificate);
        var elements = chain.ChainElements.Select(element => element.Certificate).ToArray();
        try
        {
            if (!isTrusted) return new Verdict(Problem: ProblemOf(chain));
            if (_revoked?.HasAnyOf(elements) == true) return new Verdict(Problem: "it, or what issued it, was revoked");
            if (!IsForClients(certificate)) return new Verdict(Problem: "it does not say that it is for the authentication of clients");
            var (principal, problem) = _text.PrincipalOf(CertificateNames.Of(certificate));
            return new Verdict(
                principal, problem,
                elements.Max(element => new DateTimeOffset(element.NotBefore.ToUniversalTime())),
                elements.Min(element => new DateTimeOffset(element.NotAfter.ToUniversalTime())));
        }
        finally
        {
            foreach (var element in elements) element.Dispose();
        }
    }

    private static string ProblemOf(X509Chain chain)
    {
        const X509ChainStatusFlags Untrusted =
            X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.NotSignatureValid;
        var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);
        return (status & Untrusted) != 0 ? "no authority that this service trusts has issued it"
            : status.HasFlag(X509ChainStatusFlags.NotValidForUsage) ? "it is not for the authentication of clients"
            : $"its chain is wrong ({status & ~X509ChainStatusFlags.NotTimeValid})";
    }

    // One that says nothing of what it is for would be good for all: an authority that issues to servers issues such, too.
    private static bool IsForClients(X509Certificate2 certificate) => certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>()
        .Any(usages => usages.EnhancedKeyUsages.Cast<Oid>().Any(usage => usage.Value == ClientAuthentication));

    private sealed record Verdict(
        string? Principal = null, string? Problem = null, DateTimeOffset NotBefore = default, DateTimeOffset NotAfter = default);
}
