namespace OrleansLeases.Gateway.Audit;

/// <summary>
/// A file that grows by whole lines. When it is full it gets the next number behind its name, for good, and a new one is begun. For
/// its owner alone. Not thread-safe.
/// </summary>
internal sealed class RotatingFile : IDisposable
{
    // More than any record takes.
    private const int LongestLine = 64 * 1024;

    private readonly string _path;
    private readonly long _maxBytes;
    private readonly int _kept;
    private readonly FileStream _lock;
    private FileStream? _file;
    private long _length;

    /// <param name="path">The file; made where there is none.</param>
    /// <param name="maxBytes">When it is full.</param>
    /// <param name="kept">How many full ones are kept.</param>
    /// <exception cref="AuditFileException">It cannot be opened, is another's, or is no file of JSON lines.</exception>
    public RotatingFile(string path, long maxBytes, int kept)
    {
        (_path, _maxBytes, _kept) = (Path.GetFullPath(path), maxBytes, kept);
        try
        {
            _lock = New(_path + ".lock", FileShare.None);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new AuditFileException(
                $"The audit file '{path}' cannot be written, or is another server's: {error.Message} Give each server a file of its own.");
        }

        try
        {
            Open();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _lock.Dispose();
            throw error as AuditFileException
                ?? new AuditFileException($"The audit file '{path}' cannot be opened: {error.Message}");
        }
    }

    /// <summary>Appends whole lines. Where that fails nothing of them counts as written.</summary>
    public void Append(ReadOnlySpan<byte> lines)
    {
        // Somebody may have moved it away.
        if (_file is null || !File.Exists(_path)) Open();
        if (_length > 0 && _length + lines.Length > _maxBytes) Rotate();
        _file!.Position = _length;
        _file.Write(lines);
        _length += lines.Length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Close();
        _lock.Dispose();
    }

    /// <summary>The full files of a name, the oldest first.</summary>
    public static IReadOnlyList<string> Full(string path)
    {
        var full = Path.GetFullPath(path);
        return
        [
            .. from file in Directory.EnumerateFiles(Path.GetDirectoryName(full)!, Path.GetFileName(full) + ".*")
               let number = NumberOf(file, full)
               where number > 0
               orderby number
               select file,
        ];
    }

    private static long NumberOf(string file, string path) =>
        file.Length > path.Length + 1 && file.AsSpan(path.Length + 1) is var digits && !digits.ContainsAnyExceptInRange('0', '9')
            && long.TryParse(digits, out var number)
            ? number
            : 0;

    private void Open()
    {
        Close();
        // It would be the link that is renamed.
        if (new FileInfo(_path).LinkTarget is not null)
            throw new AuditFileException($"The audit file '{_path}' is a symbolic link; name the file that it leads to.");
        var file = New(_path, FileShare.Read | FileShare.Delete);
        try
        {
            _length = EndOfLines(file);
            // What a process that was killed had begun to write is no record.
            if (_length < file.Length) file.SetLength(_length);
            _file = file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Where the last whole line ends.</summary>
    private long EndOfLines(FileStream file)
    {
        if (file.Length == 0) return 0;
        var from = Math.Max(0, file.Length - LongestLine);
        var tail = new byte[file.Length - from];
        file.Position = from;
        file.ReadExactly(tail);
        file.Position = 0;
        var end = tail.AsSpan().LastIndexOf((byte)'\n') + 1;
        // Whatever else the name is of is left as it is.
        var isOurs = file.ReadByte() == '{' && (end > 0 || from == 0) && (end == tail.Length || tail[end] == '{');
        return isOurs ? from + end : throw new AuditFileException($"'{_path}' is no audit file; name another one.");
    }

    private void Rotate()
    {
        _file!.Flush(flushToDisk: true);
        Close();
        var full = Full(_path);
        var next = full.Count == 0 ? 1 : NumberOf(full[^1], _path) + 1;
        File.Move(_path, string.Create(null, $"{_path}.{next:D6}"));
        foreach (var old in Full(_path).SkipLast(_kept)) File.Delete(old);
        Open();
    }

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }

    private static FileStream New(string path, FileShare share)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share, BufferSize = 0,
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }
}

/// <summary>An audit file that cannot be used. The message says why and what to do, so hosts that show the innermost one show it.</summary>
internal sealed class AuditFileException(string message) : IOException(message);
