using Microsoft.Extensions.Logging;

namespace OrleansLeases.Gateway.Access;

/// <summary>The access file: read at the start, and again when it has changed. Thread-safe.</summary>
internal sealed partial class AccessFile
{
    private readonly string _path;
    private readonly ILogger _logger;
    private (DateTime Written, long Length) _seen;
    private volatile AccessPolicy _policy;

    /// <exception cref="InvalidDataException">The file is wrong; the message has the line and the reason.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public AccessFile(string path, ILogger<AccessFile> logger)
    {
        (_path, _logger) = (path, logger);
        _policy = Read();
    }

    /// <summary>What it said when it was last right.</summary>
    public AccessPolicy Policy => _policy;

    /// <summary>Reads the file again if it has changed. One that is wrong leaves the old rules in force.</summary>
    public void Refresh()
    {
        try
        {
            if (StampOf(_path) == _seen) return;
            _policy = Read();
            LogRead(_logger, _path);
        }
        catch (Exception error) when (error is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            LogWrong(_logger, error.Message);
        }
    }

    // Of the file that a link leads to: configuration is mounted and swapped as links.
    private static (DateTime Written, long Length) StampOf(string path)
    {
        var file = new FileInfo(path);
        file = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        return file.Exists ? (file.LastWriteTimeUtc, file.Length) : throw new FileNotFoundException($"There is no access file '{path}'.");
    }

    private AccessPolicy Read()
    {
        // Its time from before: what is written meanwhile is read next.
        _seen = StampOf(_path);
        return new AccessPolicy(AccessText.Read(File.ReadAllBytes(_path), _path));
    }

    [LoggerMessage(1, LogLevel.Information, "The access rules were read again from {File}.")]
    private static partial void LogRead(ILogger logger, string file);

    [LoggerMessage(2, LogLevel.Error, "The access rules stay as they were. {Problem}")]
    private static partial void LogWrong(ILogger logger, string problem);
}
