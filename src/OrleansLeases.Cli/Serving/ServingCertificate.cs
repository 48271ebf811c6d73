using OrleansLeases.Cli.Commands;
using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Cli.Serving;

/// <summary>The certificate of a server that this command runs.</summary>
internal static class ServingCertificate
{
    /// <summary>Reads it.</summary>
    /// <param name="certificate">What --cert names; null for what Kestrel's own configuration says.</param>
    /// <param name="key">What --key names.</param>
    /// <param name="urls">The addresses to listen on, separated by semicolons.</param>
    /// <param name="option">The option that names those.</param>
    /// <exception cref="UsageException">It cannot be read, or no address is https.</exception>
    public static ServerCertificate? Of(string? certificate, string? key, string urls, string option)
    {
        if (certificate is null || key is null) return null;
        if (!ListenUrls.Split(urls).Any(url => url.StartsWith("https:", StringComparison.OrdinalIgnoreCase)))
            throw new UsageException($"--cert is for https addresses, and {option} has {urls}; make one of them https.");
        try
        {
            return new ServerCertificate(certificate, key, TimeProvider.System);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{e.Message} (--cert, --key)");
        }
    }

    /// <summary>Why a server cannot listen, and what helps.</summary>
    /// <param name="urls">Where it was to listen.</param>
    /// <param name="error">What has happened.</param>
    /// <param name="remedy">What else helps than a certificate.</param>
    public static string ListenFault(string urls, Exception error, string remedy) =>
        // Kestrel's own words are about a developer's certificate.
        error is InvalidOperationException && error.Message.Contains("certificate", StringComparison.Ordinal)
            ? $"Cannot listen on {urls}: https takes a certificate. Name it with --cert FILE and --key FILE, as PEM."
            : $"Cannot listen on {urls}: {error.Message.TrimEnd('.')}. {remedy}";
}
