namespace OrleansLeases.Embedded;

/// <summary>Files and folders that nobody but the process' own user may open: who could open them could lock them too.</summary>
internal static class PrivateFile
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private const UnixFileMode FileMode600 = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Makes a file that must not exist yet.</summary>
    /// <exception cref="IOException">It exists, or cannot be made.</exception>
    public static FileStream Create(string path) => Open(path, FileMode.CreateNew, FileShare.None);

    /// <summary>Opens a file for reading and writing, and makes it where it is missing.</summary>
    public static FileStream Open(string path, FileMode mode, FileShare share)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = FileMode600;
        return new FileStream(path, options);
    }

    /// <summary>Makes a folder where it is missing.</summary>
    public static void CreateFolder(string folder)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else if (!Directory.Exists(folder)) Directory.CreateDirectory(folder, FileMode600 | UnixFileMode.UserExecute);
    }

    /// <summary>Takes away what others may do with a file or folder. One that is another user's is left as it is.</summary>
    public static void Narrow(string path)
    {
        if (OperatingSystem.IsWindows() || !Path.Exists(path)) return;
        try
        {
            var mode = File.GetUnixFileMode(path);
            if ((mode & Others) != 0) File.SetUnixFileMode(path, mode & ~Others);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            // Its owner decides.
        }
    }
}
