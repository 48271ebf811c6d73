using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Hosting;

/// <summary>
/// The certificate of a server, from two files that whoever renews it writes anew. New connections have the new one within a second; one
/// that cannot be used leaves the old one in place. Thread-safe.
/// </summary>
internal sealed partial class ServerCertificate
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly TimeProvider _time;
    private readonly Lock _gate = new();
    private (FileStamp, FileStamp) _seen;
    private long _looked;
    private SslStreamCertificateContext _current;

    /// <param name="certificateFile">The certificate and those between it and its root, as PEM.</param>
    /// <param name="keyFile">Its private key, as PEM without a password.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="InvalidDataException">They are no certificate with its key; the message names the file.</exception>
    /// <exception cref="IOException">One of them cannot be read.</exception>
    public ServerCertificate(string certificateFile, string keyFile, TimeProvider time)
    {
        (_certificateFile, _keyFile, _time) = (certificateFile, keyFile, time);
        _seen = Stamps();
        _current = Read();
        _looked = time.GetTimestamp();
    }

    /// <summary>Told of a renewal, and of one that cannot be used.</summary>
    public ILogger? Logger { get; set; }

    /// <summary>What a new connection shows.</summary>
    public SslStreamCertificateContext Current
    {
        get
        {
            lock (_gate)
            {
                if (_time.GetElapsedTime(_looked) >= LookEvery) LookAgain();
                return _current;
            }
        }
    }

    /// <summary>Has all https addresses of a server use it, with HTTP/1.1 and HTTP/2.</summary>
    public void Use(KestrelServerOptions kestrel)
    {
        Logger = kestrel.ApplicationServices.GetRequiredService<ILogger<ServerCertificate>>();
        kestrel.ConfigureHttpsDefaults(https =>
        {
            https.ServerCertificateSelector = (_, _) => Current.TargetCertificate;
            // The selector gives the certificate alone, without those between it and its root.
            https.OnAuthenticate = (_, connection) =>
            {
                connection.ServerCertificateSelectionCallback = null;
                connection.ServerCertificateContext = Current;
            };
        });
    }

    private void LookAgain()
    {
        _looked = _time.GetTimestamp();
        try
        {
            var stamps = Stamps();
            if (stamps == _seen) return;
            // From before the reading: whoever was between writing the one file and the other changes it again.
            _seen = stamps;
            _current = Read();
            if (Logger is { } logger) LogRenewed(logger, _certificateFile, _current.TargetCertificate.NotAfter);
        }
        catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            if (Logger is { } logger) LogUnusable(logger, error.Message);
        }
    }

    private SslStreamCertificateContext Read()
    {
        try
        {
            var certificate = X509Certificate2.CreateFromPemFile(_certificateFile, _keyFile);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPemFile(_certificateFile);
            return SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }
        catch (CryptographicException error)
        {
            throw new InvalidDataException(
                $"'{_certificateFile}' and '{_keyFile}' are no certificate with its private key, as PEM without a password: "
                + error.Message);
        }
    }

    private (FileStamp, FileStamp) Stamps() => (FileStamp.Of(_certificateFile), FileStamp.Of(_keyFile));

    [LoggerMessage(1, LogLevel.Information, "The certificate was read again from {File}. It is valid until {Until}.")]
    private static partial void LogRenewed(ILogger logger, string file, DateTime until);

    [LoggerMessage(2, LogLevel.Error, "The certificate stays the old one. {Problem}")]
    private static partial void LogUnusable(ILogger logger, string problem);
}
