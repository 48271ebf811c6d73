using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace OrleansLeases.Grains;

/// <summary>A process's certificate and the authorities of its cluster, as its files have them at one time.</summary>
internal sealed class ClusterCertificate
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2Collection _authorities;

    private ClusterCertificate(SslStreamCertificateContext own, X509Certificate2Collection authorities) =>
        (Own, _authorities) = (own, authorities);

    /// <summary>What it shows to others.</summary>
    public SslStreamCertificateContext Own { get; }

    /// <summary>Reads the files.</summary>
    /// <exception cref="InvalidDataException">They cannot be used; the message has the field, its value and the remedy.</exception>
    /// <exception cref="IOException">One of them cannot be read.</exception>
    public static ClusterCertificate Read(MutualTlsOptions options)
    {
        var (section, certificate, authority) = (options.Section, options.Certificate!, options.Authority!);
        var read = new ClusterCertificate(ReadOwn(options), ReadAuthorities(section, authority));
        // Every other process would refuse it, and a silo that starts would be left to wait for them.
        using var chain = new X509Chain();
        chain.ChainPolicy = read.Policy();
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerUse));
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientUse));
        foreach (var between in read.Own.IntermediateCertificates) chain.ChainPolicy.ExtraStore.Add(between);
        if (chain.Build(read.Own.TargetCertificate)) return read;
        var reasons = chain.ChainStatus.Select(status => status.Status).Distinct();
        throw new InvalidDataException(
            $"{section}{nameof(options.Certificate)} is '{certificate}' ({read.Own.TargetCertificate.Subject}), which no process of the "
            + $"cluster would believe ({string.Join(", ", reasons)}); it takes a certificate that is valid now, for servers and for "
            + $"clients, signed by an authority of {section}{nameof(options.Authority)}, '{authority}'.");
    }

    /// <summary>Whom it believes, for one connection: the policy keeps a time, and which use is asked for.</summary>
    public X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            // There is nobody to ask; what is revoked is outlived, or its authority is replaced.
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.AddRange(_authorities);
        return policy;
    }

    private static SslStreamCertificateContext ReadOwn(MutualTlsOptions options)
    {
        try
        {
            return CertificateFiles.Read(options.Certificate!, options.Key!);
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException(
                $"{options.Section}{nameof(options.Certificate)} and {options.Section}{nameof(options.Key)} cannot be used: "
                + error.Message);
        }
    }

    private static X509Certificate2Collection ReadAuthorities(string section, string file)
    {
        var authorities = new X509Certificate2Collection();
        var problem = "there is none in it";
        try
        {
            authorities.ImportFromPemFile(file);
        }
        catch (CryptographicException error)
        {
            problem = error.Message;
        }

        return authorities.Count > 0
            ? authorities
            : throw new InvalidDataException(
                $"{section}{nameof(MutualTlsOptions.Authority)} is '{file}', which has no certificate of an authority: {problem}. It takes "
                + "a PEM file with the certificate of the authority that signs for the cluster.");
    }
}
