using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Access;

/// <summary>The access file, and those that it names: read at the start, and again when one has changed. Thread-safe.</summary>
internal sealed partial class AccessFile
{
    private readonly string _path;
    private readonly ILogger _logger;
    private readonly IJwtVerifiers? _verifiers;
    private List<(string Path, FileStamp Stamp)> _seen = [];
    private string? _problem;
    private volatile AccessPolicy? _policy;

    /// <param name="path">Where it is.</param>
    /// <param name="logger">Receives when it has changed, and what is wrong with it.</param>
    /// <param name="verifiers">Makes what verifies JWTs; null where the host takes none.</param>
    /// <exception cref="InvalidDataException">The file is wrong; the message has the line and the reason.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public AccessFile(string path, ILogger<AccessFile> logger, IJwtVerifiers? verifiers = null)
    {
        (_path, _logger, _verifiers) = (path, logger, verifiers);
        _policy = Read();
    }

    /// <summary>What it said when it was last right.</summary>
    public AccessPolicy Policy => _policy!;

    /// <summary>Reads the file again if it has changed. One that is wrong leaves the old rules in force.</summary>
    public void Refresh()
    {
        try
        {
            if (_seen.Count > 0 && _seen.All(IsAsItWas)) return;
            _policy = Read();
            _problem = null;
            LogRead(_logger, _path);
        }
        // Whatever is wrong with it: the server goes on with what it has.
        catch (Exception error) when (error is not OutOfMemoryException)
        {
            if (error.Message != _problem) LogWrong(_logger, _problem = error.Message);
        }
    }

    private AccessPolicy Read()
    {
        var seen = new List<(string, FileStamp)>();
        var utf8 = ReadSeen(_path, seen);
        _seen = seen;
        var text = AccessText.Read(utf8, _path);
        var jwt = text.Jwt is not { } tokens ? null
            : tokens.Value.Keys is not { } keys ? VerifierOf(utf8, tokens, keys: null)
            : Refer(utf8, tokens.At, keys, seen, content => VerifierOf(utf8, tokens, content));
        var certificates = text.Certificates is { } section ? CertificatesOf(utf8, section, seen) : null;
        return new AccessPolicy(text, jwt, certificates);
    }

    private ClientCertificates CertificatesOf(byte[] utf8, Located<CertificateText> section, List<(string, FileStamp)> seen)
    {
        var authorities = Refer(utf8, section.At, section.Value.Authorities!, seen, pem => CertificateAuthorities.Read(pem));
        var revoked = section.Value.Revoked is not { } lists ? null
            : Refer(utf8, section.At, lists, seen, pem => RevokedCertificates.Read(pem, authorities));
        return new(section.Value, authorities, revoked);
    }

    // The same one for as long as what it is made of stays the same: it may have the keys of an authority.
    private IJwtVerifier VerifierOf(byte[] utf8, Located<JwtText> tokens, byte[]? keys)
    {
        if (_policy?.Jwt is { } now && now.IsOf(tokens.Value, keys)) return now;
        return _verifiers?.Create(tokens.Value, keys) ?? throw AccessText.Wrong(
            utf8, _path, tokens.At,
            "'jwt' takes the package OrleansLeases.Gateway.JwtBearer: call AddLeaseJwtBearer on the services of the host.");
    }

    /// <summary>Makes something of a file that the access file names.</summary>
    private T Refer<T>(byte[] utf8, long at, string named, List<(string, FileStamp)> seen, Func<byte[], T> make)
    {
        try
        {
            return make(ReadSeen(Path.Combine(Path.GetDirectoryName(Path.GetFullPath(_path))!, named), seen));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // One that is not there yet has no time to have changed since.
            _seen = [];
            throw AccessText.Wrong(utf8, _path, at, $"'{named}' cannot be read: {error.Message}");
        }
        catch (WrongFileException error)
        {
            throw AccessText.Wrong(utf8, _path, at, $"'{named}' {error.Message}");
        }
    }

    // One that is gone is said by whoever reads it, with the line that names it.
    private static bool IsAsItWas((string Path, FileStamp Stamp) file) => File.Exists(file.Path) && FileStamp.Of(file.Path) == file.Stamp;

    private static byte[] ReadSeen(string path, List<(string, FileStamp)> seen)
    {
        // Its time from before: what is written meanwhile is read next. Seen is only what was read: who may read it changes no time.
        var stamp = FileStamp.Of(path);
        var bytes = File.ReadAllBytes(path);
        seen.Add((path, stamp));
        return bytes;
    }

    [LoggerMessage(1, LogLevel.Information, "The access rules were read again from {File}.")]
    private static partial void LogRead(ILogger logger, string file);

    [LoggerMessage(2, LogLevel.Error, "The access rules stay as they were. {Problem}")]
    private static partial void LogWrong(ILogger logger, string problem);
}

/// <summary>What is in a file that the access file names is wrong; the message goes on from its name.</summary>
internal sealed class WrongFileException(string message) : Exception(message);
