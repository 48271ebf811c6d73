using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OrleansLeases.Gateway.Access;

/// <summary>
/// A list of what an authority has revoked (RFC 5280, 5), read and not yet believed. .NET loads such lists to add to them, and neither
/// checks who has signed one nor compares certificates with one from a file. Immutable.
/// </summary>
internal sealed class RevocationList
{
    private static readonly Dictionary<string, (HashAlgorithmName Hash, bool IsRsa)> Algorithms = new(StringComparer.Ordinal)
    {
        ["1.2.840.113549.1.1.11"] = (HashAlgorithmName.SHA256, true),
        ["1.2.840.113549.1.1.12"] = (HashAlgorithmName.SHA384, true),
        ["1.2.840.113549.1.1.13"] = (HashAlgorithmName.SHA512, true),
        ["1.2.840.10045.4.3.2"] = (HashAlgorithmName.SHA256, false),
        ["1.2.840.10045.4.3.3"] = (HashAlgorithmName.SHA384, false),
        ["1.2.840.10045.4.3.4"] = (HashAlgorithmName.SHA512, false),
    };

    private static readonly Asn1Tag Extensions = new(TagClass.ContextSpecific, 0);

    private readonly List<byte[]> _serials = [];
    private readonly byte[] _signed;
    private readonly string _algorithm;
    private readonly byte[] _signature;

    /// <exception cref="AsnContentException">It is none.</exception>
    /// <exception cref="NotSupportedException">It is not all that its authority has revoked.</exception>
    public RevocationList(byte[] der)
    {
        var list = new AsnReader(der, AsnEncodingRules.DER).ReadSequence();
        _signed = list.PeekEncodedValue().ToArray();
        var revoked = list.ReadSequence();
        _algorithm = list.ReadSequence().ReadObjectIdentifier();
        _signature = list.ReadBitString(out _);
        list.ThrowIfNotEmpty();

        if (revoked.PeekTag().HasSameClassAndValue(Asn1Tag.Integer)) revoked.ReadInteger();
        var algorithm = revoked.ReadSequence().ReadObjectIdentifier();
        if (algorithm != _algorithm) throw new AsnContentException("It names two algorithms of its signature.");
        Issuer = new X500DistinguishedName(revoked.ReadEncodedValue().Span);
        while (revoked.HasData && revoked.PeekTag() is { TagClass: TagClass.Universal } tag && !tag.HasSameClassAndValue(Asn1Tag.Sequence))
            revoked.ReadEncodedValue();
        if (revoked.HasData && revoked.PeekTag().HasSameClassAndValue(Asn1Tag.Sequence)) ReadEntries(revoked.ReadSequence());
        if (revoked.HasData) RefuseCritical(revoked.ReadSequence(Extensions).ReadSequence());
        revoked.ThrowIfNotEmpty();
    }

    /// <summary>Who says so.</summary>
    public X500DistinguishedName Issuer { get; }

    /// <summary>The serial numbers of the certificates.</summary>
    public IReadOnlyList<byte[]> Serials => _serials;

    /// <summary>Whether an authority has signed it.</summary>
    public bool IsSignedBy(X509Certificate2 authority)
    {
        if (!Algorithms.TryGetValue(_algorithm, out var algorithm) || !authority.SubjectName.RawData.AsSpan().SequenceEqual(Issuer.RawData)
            || authority.Extensions.OfType<X509KeyUsageExtension>().Any(usage => !usage.KeyUsages.HasFlag(X509KeyUsageFlags.CrlSign)))
            return false;
        using var rsa = algorithm.IsRsa ? authority.GetRSAPublicKey() : null;
        using var curve = algorithm.IsRsa ? null : authority.GetECDsaPublicKey();
        return rsa?.VerifyData(_signed, _signature, algorithm.Hash, RSASignaturePadding.Pkcs1)
            ?? curve?.VerifyData(_signed, _signature, algorithm.Hash, DSASignatureFormat.Rfc3279DerSequence)
            ?? false;
    }

    private void ReadEntries(AsnReader entries)
    {
        while (entries.HasData)
        {
            var entry = entries.ReadSequence();
            _serials.Add(entry.ReadIntegerBytes().ToArray());
            entry.ReadEncodedValue();
            if (entry.HasData) RefuseCritical(entry.ReadSequence());
        }
    }

    // Such a list is about what has changed since another, about some of the certificates, or about those of other authorities.
    private static void RefuseCritical(AsnReader extensions)
    {
        while (extensions.HasData)
        {
            var extension = extensions.ReadSequence();
            var name = extension.ReadObjectIdentifier();
            if (extension.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean) && extension.ReadBoolean())
                throw new NotSupportedException($"it has the critical extension {name}, so it is not the whole list of its authority");
        }
    }
}
