using System.Net.Security;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Connections.Security;
using Orleans.Runtime;

namespace OrleansLeases.Grains;

/// <summary>
/// Mutual TLS on the connections between silos, and of clients to silos: each side shows a certificate, and believes those of the cluster's
/// authority. Silos are known by their addresses, so no name is compared. Decision cluster-authority-is-membership.
/// </summary>
internal sealed partial class ClusterTls : IConfigurationValidator
{
    private readonly MutualTlsOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<ClusterTls> _logger;
    private readonly Lazy<RenewedFiles<ClusterCertificate>> _files;

    /// <param name="options">The files.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logger">Told of renewals.</param>
    public ClusterTls(IOptions<MutualTlsOptions> options, TimeProvider time, ILogger<ClusterTls> logger)
    {
        (_options, _time, _logger) = (options.Value, time, logger);
        _files = new(Open);
        Settings = new()
        {
            // Asked for by Orleans; what counts is set on each connection.
            LocalServerCertificateSelector = (_, _) => Current.Own.TargetCertificate,
            RemoteCertificateMode = RemoteCertificateMode.RequireCertificate,
            RemoteCertificateValidation = (_, _, errors) => IsBelieved(errors),
            OnAuthenticateAsServer = (_, connection) => AsServer((SslServerAuthenticationOptions)connection.SslServerAuthenticationOptions),
            OnAuthenticateAsClient = (_, connection) => AsClient((SslClientAuthenticationOptions)connection.SslClientAuthenticationOptions),
        };
    }

    /// <summary>The same for Orleans' connections.</summary>
    public TlsOptions Settings { get; }

    private ClusterCertificate Current => _files.Value.Current;

    /// <inheritdoc/>
    public void ValidateConfiguration() => _ = _files.Value;

    /// <summary>What a connection shows that others have opened, and whom it believes.</summary>
    internal void AsServer(SslServerAuthenticationOptions connection)
    {
        var current = Current;
        connection.ServerCertificateSelectionCallback = null;
        // With the certificates between it and the authority, which a selector leaves out.
        connection.ServerCertificateContext = current.Own;
        connection.CertificateChainPolicy = current.Policy();
        // A resumed session would not show the certificate again.
        connection.AllowTlsResume = false;
    }

    /// <summary>The same of a connection that is being opened.</summary>
    internal void AsClient(SslClientAuthenticationOptions connection)
    {
        var current = Current;
        connection.LocalCertificateSelectionCallback = null;
        connection.ClientCertificateContext = current.Own;
        connection.CertificateChainPolicy = current.Policy();
        connection.AllowTlsResume = false;
    }

    /// <summary>Whether to go on with the other side, whose certificate was compared with the policy.</summary>
    internal static bool IsBelieved(SslPolicyErrors errors) =>
        (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None;

    private RenewedFiles<ClusterCertificate> Open()
    {
        var files = new[]
        {
            Needed(nameof(_options.Certificate), _options.Certificate), Needed(nameof(_options.Key), _options.Key),
            Needed(nameof(_options.Authority), _options.Authority),
        };
        try
        {
            return new(files, () => ClusterCertificate.Read(_options), _time)
            {
                Renewed = read => LogRenewed(_logger, files[0], read.Own.TargetCertificate.NotAfter),
                Unusable = problem => LogUnusable(_logger, problem),
            };
        }
        catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new OrleansConfigurationException(error.Message, error);
        }
    }

    private string Needed(string name, string? file)
    {
        if (string.IsNullOrWhiteSpace(file))
            throw new OrleansConfigurationException(
                $"{_options.Section}{name} is not set; mutual TLS takes three PEM files: {nameof(_options.Certificate)}, "
                + $"{nameof(_options.Key)} and {nameof(_options.Authority)}.");
        return File.Exists(file)
            ? file
            : throw new OrleansConfigurationException(
                $"{_options.Section}{name} is '{file}', and there is no such file; it takes a PEM file that this process can read.");
    }

    [LoggerMessage(1, LogLevel.Information, "The certificate for the cluster was read again from {File}. It is valid until {Until}.")]
    private static partial void LogRenewed(ILogger logger, string file, DateTime until);

    [LoggerMessage(2, LogLevel.Error, "The certificate for the cluster, and the authority, stay the old ones. {Problem}")]
    private static partial void LogUnusable(ILogger logger, string problem);
}
