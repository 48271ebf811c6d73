using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OrleansLeases.Gateway.Access;

/// <summary>Who may issue client certificates: the roots that are trusted for it, and what is between them and those. Immutable.</summary>
internal sealed class CertificateAuthorities
{
    private CertificateAuthorities(IReadOnlyList<X509Certificate2> roots, X509Certificate2Collection intermediates) =>
        (Roots, Intermediates) = (roots, intermediates);

    /// <summary>Those that are their own issuers.</summary>
    public IReadOnlyList<X509Certificate2> Roots { get; }

    /// <summary>All others.</summary>
    public X509Certificate2Collection Intermediates { get; }

    /// <summary>Reads them.</summary>
    /// <param name="pem">What is in the file.</param>
    /// <exception cref="WrongFileException">That has no root as PEM.</exception>
    public static CertificateAuthorities Read(ReadOnlySpan<byte> pem)
    {
        var all = new X509Certificate2Collection();
        try
        {
            all.ImportFromPem(Encoding.UTF8.GetString(pem));
        }
        catch (CryptographicException error)
        {
            throw new WrongFileException($"has something else than certificates as PEM: {error.Message}");
        }

        var roots = all.Where(one => one.SubjectName.RawData.AsSpan().SequenceEqual(one.IssuerName.RawData)).ToArray();
        if (roots.Length == 0) throw new WrongFileException("has no certificate of a root, which is its own issuer, as PEM.");
        return new(roots, [.. all.Except(roots)]);
    }
}
