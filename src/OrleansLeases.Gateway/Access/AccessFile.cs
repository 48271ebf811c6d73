using Microsoft.Extensions.Logging;
using OrleansLeases.Gateway.Hosting;

namespace OrleansLeases.Gateway.Access;

/// <summary>The access file: read at the start, and again when it has changed. Thread-safe.</summary>
internal sealed partial class AccessFile
{
    private readonly string _path;
    private readonly ILogger _logger;
    private FileStamp _seen;
    private string? _problem;
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
            if (FileStamp.Of(_path) == _seen) return;
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
        // Its time from before: what is written meanwhile is read next. Seen is only what was read: who may read it changes no time.
        var stamp = FileStamp.Of(_path);
        var text = File.ReadAllBytes(_path);
        _seen = stamp;
        return new AccessPolicy(AccessText.Read(text, _path));
    }

    [LoggerMessage(1, LogLevel.Information, "The access rules were read again from {File}.")]
    private static partial void LogRead(ILogger logger, string file);

    [LoggerMessage(2, LogLevel.Error, "The access rules stay as they were. {Problem}")]
    private static partial void LogWrong(ILogger logger, string problem);
}
