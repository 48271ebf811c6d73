using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace OrleansLeases.Gateway.Access;

/// <summary>The certificates that their authorities have revoked, as a file of their lists says. Immutable.</summary>
internal sealed class RevokedCertificates
{
    private const string Label = "X509 CRL";

    // By the key of the authority: one that was renewed with its key has revoked the same ones.
    private readonly HashSet<(string Authority, string Serial)> _all = [];

    private RevokedCertificates()
    {
    }

    /// <summary>Reads the lists, each of which an authority has signed.</summary>
    /// <param name="pem">What is in the file.</param>
    /// <param name="authorities">The authorities.</param>
    /// <exception cref="WrongFileException">It has no list, or one that is wrong.</exception>
    public static RevokedCertificates Read(ReadOnlySpan<byte> pem, CertificateAuthorities authorities)
    {
        var revoked = new RevokedCertificates();
        var lists = 0;
        var rest = Encoding.UTF8.GetString(pem).AsSpan();
        while (PemEncoding.TryFind(rest, out var found))
        {
            if (!rest[found.Label].SequenceEqual(Label))
                throw new WrongFileException($"has a '{rest[found.Label]}'; it takes lists of revoked certificates, '{Label}', as PEM.");
            revoked.Add(Convert.FromBase64String(rest[found.Base64Data].ToString()), authorities);
            rest = rest[found.Location.End..];
            lists++;
        }

        // While it is being written, it must not look as if fewer were revoked.
        if (rest.Contains("-----BEGIN", StringComparison.Ordinal)) throw new WrongFileException("has a list that is cut off.");
        return lists > 0 ? revoked : throw new WrongFileException($"has no list of revoked certificates, '{Label}', as PEM.");
    }

    /// <summary>Whether a certificate, or one between it and its root, was revoked.</summary>
    /// <param name="chain">The certificate, and each one's issuer up to the root.</param>
    public bool HasAnyOf(ReadOnlySpan<X509Certificate2> chain)
    {
        for (var i = 0; i + 1 < chain.Length; i++)
            if (_all.Contains((KeyOf(chain[i + 1]), Convert.ToHexString(chain[i].SerialNumberBytes.Span)))) return true;
        return false;
    }

    private void Add(byte[] der, CertificateAuthorities authorities)
    {
        try
        {
            var list = new RevocationList(der);
            var signers = authorities.Roots.Concat(authorities.Intermediates).Where(list.IsSignedBy).Select(KeyOf).Distinct().ToArray();
            if (signers.Length == 0)
                throw new WrongFileException(
                    $"has a list of '{list.Issuer.Name}', and none of the authorities has signed that (with SHA-2, by RSA or ECDSA).");
            foreach (var signer in signers)
                foreach (var serial in list.Serials)
                    _all.Add((signer, Convert.ToHexString(serial)));
        }
        catch (NotSupportedException partial)
        {
            throw new WrongFileException($"has a list that is not supported: {partial.Message}.");
        }
        catch (Exception malformed) when (malformed is AsnContentException or CryptographicException)
        {
            throw new WrongFileException($"has a list that cannot be read: {malformed.Message}");
        }
    }

    private static string KeyOf(X509Certificate2 authority) =>
        Convert.ToHexString(SHA256.HashData(authority.PublicKey.ExportSubjectPublicKeyInfo()));
}
