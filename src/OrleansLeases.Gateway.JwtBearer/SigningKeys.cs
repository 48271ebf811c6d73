using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;
using OrleansLeases.Gateway.Access;

namespace OrleansLeases.Gateway.JwtBearer;

/// <summary>The public keys that tokens may be signed with. Immutable.</summary>
internal sealed class SigningKeys
{
    private const int MinRsaBits = 2048;

    private readonly SecurityKey[] _keys;
    private readonly HashSet<string> _digests;

    private SigningKeys(IEnumerable<SecurityKey> keys)
    {
        _keys = [.. keys];
        _digests = [.. _keys.Select(DigestOf)];
    }

    /// <summary>Reads a file of keys: a JSON Web Key Set, or public keys and certificates as PEM.</summary>
    /// <exception cref="WrongFileException">It is neither, has no key or a private one.</exception>
    public static SigningKeys Read(ReadOnlySpan<byte> utf8)
    {
        var text = Encoding.UTF8.GetString(utf8).Trim('\uFEFF', ' ', '\t', '\r', '\n');
        try
        {
            var keys = text.StartsWith('{') ? OfSet(new JsonWebKeySet(text)) : OfPem(text);
            return keys._keys.Length > 0 ? keys
                : throw new WrongFileException("has no public key of RSA, with 2048 bits or more, or a curve, as JWKS or PEM.");
        }
        catch (Exception error) when (error is CryptographicException or JsonException or ArgumentException)
        {
            throw new WrongFileException($"has no keys as JWKS or PEM: {error.Message.Split('\n')[0]}");
        }
    }

    /// <summary>The keys of a set that are for signatures which others can check: no secret is among them.</summary>
    /// <exception cref="WrongFileException">It has a private key.</exception>
    public static SigningKeys OfSet(JsonWebKeySet set)
    {
        if (set.Keys.Any(key => key.HasPrivateKey))
            throw new WrongFileException("has a private key; it takes public keys, which verify and cannot sign.");
        return new(set.GetSigningKeys().Where(IsStrong));
    }

    /// <summary>The keys by which a token may be verified.</summary>
    /// <param name="id">The id of the key that the token names; null for none.</param>
    /// <remarks>Keys of a PEM file have no id, and are tried with each token.</remarks>
    public IEnumerable<SecurityKey> For(string? id) =>
        string.IsNullOrEmpty(id) ? _keys : _keys.Where(key => string.IsNullOrEmpty(key.KeyId) || key.KeyId == id);

    /// <summary>Whether a key is one of these, by its digest.</summary>
    public bool Has(string digest) => _digests.Contains(digest);

    /// <summary>What a key is known by, whatever id it goes under.</summary>
    public static string DigestOf(SecurityKey key) => key is X509SecurityKey { Certificate: var certificate }
        ? certificate.GetCertHashString(HashAlgorithmName.SHA256)
        : Base64UrlEncoder.Encode(key.ComputeJwkThumbprint());

    private static SigningKeys OfPem(string text)
    {
        var keys = new List<SecurityKey>();
        ReadOnlySpan<char> rest = text;
        while (PemEncoding.TryFind(rest, out var found))
        {
            var label = rest[found.Label].ToString();
            var content = Convert.FromBase64String(rest[found.Base64Data].ToString());
            if (label.EndsWith("PRIVATE KEY", StringComparison.Ordinal))
                throw new WrongFileException("has a private key; it takes public keys, which verify and cannot sign.");
            if (Of(label, content) is { } key && IsStrong(key)) keys.Add(key);
            rest = rest[found.Location.End..];
        }

        return new(keys);
    }

    private static AsymmetricSecurityKey? Of(string label, byte[] content)
    {
        switch (label)
        {
            case "CERTIFICATE":
                // By its key alone: the id of a certificate is no id that a token would name.
                using (var certificate = X509CertificateLoader.LoadCertificate(content))
                    return Of("PUBLIC KEY", certificate.PublicKey.ExportSubjectPublicKeyInfo());
            case "RSA PUBLIC KEY":
                using (var rsa = RSA.Create())
                {
                    rsa.ImportRSAPublicKey(content, out _);
                    return new RsaSecurityKey(rsa.ExportParameters(includePrivateParameters: false));
                }

            case "PUBLIC KEY":
                return OfSubjectPublicKey(content);
            default:
                return null;
        }
    }

    private static AsymmetricSecurityKey OfSubjectPublicKey(byte[] content)
    {
        try
        {
            using var rsa = RSA.Create();
            rsa.ImportSubjectPublicKeyInfo(content, out _);
            return new RsaSecurityKey(rsa.ExportParameters(includePrivateParameters: false));
        }
        catch (CryptographicException)
        {
            // It is of another kind, then.
            var curve = ECDsa.Create();
            curve.ImportSubjectPublicKeyInfo(content, out _);
            return new ECDsaSecurityKey(curve);
        }
    }

    private static bool IsStrong(SecurityKey key) => key switch
    {
        RsaSecurityKey or X509SecurityKey { PublicKey: RSA } => key.KeySize >= MinRsaBits,
        ECDsaSecurityKey or X509SecurityKey { PublicKey: ECDsa } => true,
        _ => false,
    };
}
