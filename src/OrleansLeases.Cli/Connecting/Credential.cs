using System.Globalization;
using System.Text;
using OrleansLeases.Cli.Commands;

namespace OrleansLeases.Cli.Connecting;

/// <summary>
/// Who this command is to the server: what <c>--token</c> says, else what is in the file of the context, else LEASES_TOKEN, else what is in
/// the file that LEASES_TOKEN_FILE names.
/// </summary>
internal static class Credential
{
    public const string Variable = "LEASES_TOKEN";
    public const string FileVariable = "LEASES_TOKEN_FILE";

    private const string Option = "--token";

    private const UnixFileMode OthersUse =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private static string? _given;

    /// <summary>Whether <c>--token</c> of the command line is one.</summary>
    public static bool IsGiven => _given is not null;

    /// <summary>
    /// Takes the credential out of a command line. Verbs take the token of a lease as <c>--token</c> as well: that is a whole number, and
    /// no credential is.
    /// </summary>
    /// <param name="args">The command line.</param>
    /// <returns>The rest of it.</returns>
    public static string[] TakeFrom(string[] args)
    {
        _given = null;
        var rest = new List<string>();
        for (var i = 0; i < args.Length; i++)
        {
            // What follows is somebody else's command line.
            if (args[i] == "--") return [.. rest, .. args.AsSpan(i)];
            if (args[i] == Option && i + 1 < args.Length && !IsNumber(args[i + 1])) _given = args[++i];
            else if (args[i].StartsWith(Option + "=", StringComparison.Ordinal) && !IsNumber(args[i][(Option.Length + 1)..]))
                _given = args[i][(Option.Length + 1)..];
            else rest.Add(args[i]);
        }

        return [.. rest];
    }

    /// <summary>The credential of a call; null where there is none. A file is read each time, so that one that is renewed works.</summary>
    /// <param name="contextFile">The file that the context names for it; null where it names none.</param>
    /// <exception cref="UsageException">The file cannot be read, or that of a context is open to others.</exception>
    public static string? Current(string? contextFile)
    {
        if (_given is not null) return _given;
        if (contextFile is not null) return Encoding.UTF8.GetString(PrivateFile.Read(contextFile, OthersUse)).Trim();
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } token) return token.Trim();
        if (Environment.GetEnvironmentVariable(FileVariable) is not { Length: > 0 } file) return null;
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"{FileVariable} names '{file}', which cannot be read: {error.Message}");
        }
    }

    private static bool IsNumber(string text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _);

    /// <summary>Puts the credential into each request.</summary>
    /// <param name="current">Returns the credential of a call; null where there is none.</param>
    /// <param name="inner">Sends the request.</param>
    internal sealed class Handler(Func<string?> current, HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            // Not validated, and so never named in an error: the server refuses what is none.
            if (current() is { } token) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
