using System.CommandLine;
using System.Net.Security;
using OrleansLeases.Cli.Commands;

namespace OrleansLeases.Cli.Connecting;

/// <summary>The certificate that this command shows to https servers which ask for one: of an option, else of the environment.</summary>
internal static class ClientCertificate
{
    public const string Variable = "LEASES_CLIENT_CERT";
    public const string KeyVariable = "LEASES_CLIENT_KEY";

    /// <summary>Has a handler show it, if there is one. Where it is renewed, new connections have the new one.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="handler">Makes a handler that shows a certificate, or none.</param>
    /// <exception cref="UsageException">It cannot be read.</exception>
    public static HttpMessageHandler Use(ParseResult parsed, Func<SslStreamCertificateContext?, HttpMessageHandler> handler)
    {
        var named = parsed.GetValue(GlobalOptions.ClientCertificate);
        var certificate = named ?? FromEnvironment(Variable);
        var key = parsed.GetValue(GlobalOptions.ClientKey) ?? (named is null ? FromEnvironment(KeyVariable) : null);
        if (certificate is null && key is not null)
            throw new UsageException("--client-key is for a certificate; name that with --client-cert.");
        if (certificate is null) return handler(null);
        // One file may have both.
        key ??= certificate;
        try
        {
            return new Renewed(new(
                [certificate, key], () => new HttpMessageInvoker(handler(CertificateFiles.Read(certificate, key))), TimeProvider.System));
        }
        catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{error.Message} ({(named is null ? Variable : "--client-cert")})");
        }
    }

    private static string? FromEnvironment(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } value ? value : null;

    /// <summary>Sends requests by connections that show what the files say now. What is under way stays on the old ones.</summary>
    private sealed class Renewed(RenewedFiles<HttpMessageInvoker> connections) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            connections.Current.SendAsync(request, cancellationToken);

        protected override void Dispose(bool disposing)
        {
            if (disposing) connections.Current.Dispose();
            base.Dispose(disposing);
        }
    }
}
