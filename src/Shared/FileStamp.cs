namespace OrleansLeases;

/// <summary>
/// By what a file is known to have changed: that of the file which a link leads to, as mounted files are swapped as links.
/// </summary>
internal readonly record struct FileStamp(DateTime Written, long Length)
{
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static FileStamp Of(string path)
    {
        var file = new FileInfo(path);
        file = file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo ?? file;
        return file.Exists ? new(file.LastWriteTimeUtc, file.Length) : throw new FileNotFoundException($"There is no file '{path}'.");
    }
}
