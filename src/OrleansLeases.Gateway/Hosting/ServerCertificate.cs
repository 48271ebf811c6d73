using System.Net.Security;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Hosting;

/// <summary>
/// The certificate of a server, from two files that whoever renews it writes anew. New connections have the new one within a second; one
/// that cannot be used leaves the old one in place. Thread-safe.
/// </summary>
internal sealed partial class ServerCertificate
{
    private readonly string _certificateFile;
    private readonly RenewedFiles<SslStreamCertificateContext> _files;

    /// <param name="certificateFile">The certificate and those between it and its root, as PEM.</param>
    /// <param name="keyFile">Its private key, as PEM without a password.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="InvalidDataException">They are no certificate with its key; the message names the file.</exception>
    /// <exception cref="IOException">One of them cannot be read.</exception>
    public ServerCertificate(string certificateFile, string keyFile, TimeProvider time)
    {
        _certificateFile = certificateFile;
        _files = new([certificateFile, keyFile], () => CertificateFiles.Read(certificateFile, keyFile), time);
    }

    /// <summary>What a new connection shows.</summary>
    public SslStreamCertificateContext Current => _files.Current;

    /// <summary>Has an https address use it. Whoever sets that up sends those between it and its root as well.</summary>
    public void Use(HttpsConnectionAdapterOptions https) => https.ServerCertificateSelector = (_, _) => Current.TargetCertificate;

    /// <summary>Has what happens to it told to the log of a host.</summary>
    public void LogTo(IServiceProvider services)
    {
        var logger = services.GetRequiredService<ILogger<ServerCertificate>>();
        _files.Renewed = renewed => LogRenewed(logger, _certificateFile, renewed.TargetCertificate.NotAfter);
        _files.Unusable = problem => LogUnusable(logger, problem);
    }

    [LoggerMessage(1, LogLevel.Information, "The certificate was read again from {File}. It is valid until {Until}.")]
    private static partial void LogRenewed(ILogger logger, string file, DateTime until);

    [LoggerMessage(2, LogLevel.Error, "The certificate stays the old one. {Problem}")]
    private static partial void LogUnusable(ILogger logger, string problem);
}
