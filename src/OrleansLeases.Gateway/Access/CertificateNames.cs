using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OrleansLeases.Gateway.Access;

/// <summary>The names in a certificate.</summary>
/// <param name="CommonNames">Those of its subject.</param>
/// <param name="DnsNames">Among its alternative names.</param>
/// <param name="Uris">Among its alternative names.</param>
internal sealed record CertificateNames(IReadOnlyList<string> CommonNames, IReadOnlyList<string> DnsNames, IReadOnlyList<string> Uris)
{
    private const string CommonName = "2.5.4.3";
    private const string AlternativeNames = "2.5.29.17";
    private const int DnsTag = 2;
    private const int UriTag = 6;

    /// <exception cref="CryptographicException">They cannot be read.</exception>
    public static CertificateNames Of(X509Certificate2 certificate)
    {
        var common = certificate.SubjectName.EnumerateRelativeDistinguishedNames()
            // An element of several says that one name is not enough; which of them is meant is anybody's guess.
            .Where(part => !part.HasMultipleElements && part.GetSingleElementType().Value == CommonName)
            .Select(part => part.GetSingleElementValue() ?? "");
        var (dns, uris) = (new List<string>(), new List<string>());
        foreach (var extension in certificate.Extensions.Where(extension => extension.Oid?.Value == AlternativeNames))
            ReadAlternatives(extension.RawData, dns, uris);
        return new([.. common], dns, uris);
    }

    // Those of .NET leave out the URIs.
    private static void ReadAlternatives(byte[] extension, List<string> dns, List<string> uris)
    {
        try
        {
            var names = new AsnReader(extension, AsnEncodingRules.DER).ReadSequence();
            while (names.HasData)
            {
                var tag = names.PeekTag();
                var into = tag.TagClass != TagClass.ContextSpecific ? null : tag.TagValue switch
                {
                    DnsTag => dns,
                    UriTag => uris,
                    _ => null,
                };
                if (into is null) names.ReadEncodedValue();
                else into.Add(names.ReadCharacterString(UniversalTagNumber.IA5String, tag));
            }
        }
        catch (AsnContentException error)
        {
            throw new CryptographicException(error.Message);
        }
    }
}
