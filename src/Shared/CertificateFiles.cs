using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OrleansLeases;

/// <summary>A certificate with its private key, as PEM in two files.</summary>
internal static class CertificateFiles
{
    /// <summary>Reads them.</summary>
    /// <param name="certificateFile">The certificate, and after it those between it and its root.</param>
    /// <param name="keyFile">Its private key, without a password.</param>
    /// <returns>What a side of a connection shows.</returns>
    /// <exception cref="InvalidDataException">They are no certificate with its key; the message names the files.</exception>
    /// <exception cref="IOException">One of them cannot be read.</exception>
    public static SslStreamCertificateContext Read(string certificateFile, string keyFile)
    {
        try
        {
            var certificate = X509Certificate2.CreateFromPemFile(certificateFile, keyFile);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(certificateFile);
            return SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }
        // The second is for a key that is another certificate's, as between the writing of the two files.
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw new InvalidDataException(
                $"'{certificateFile}' and '{keyFile}' are no certificate with its private key, as PEM without a password: {error.Message}");
        }
    }
}
