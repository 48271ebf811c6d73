using OrleansLeases.Cli.Commands;

namespace OrleansLeases.Cli.Connecting;

/// <summary>Files that are their user's alone.</summary>
internal static class PrivateFile
{
    private const UnixFileMode Owners = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Reads a file.</summary>
    /// <param name="path">Which.</param>
    /// <param name="forbidden">What nobody else may do with it.</param>
    /// <exception cref="UsageException">It cannot be read, or others may do that.</exception>
    public static byte[] Read(string path, UnixFileMode forbidden)
    {
        try
        {
            using var file = File.OpenRead(path);
            // Of the file that was opened, wherever links lead later.
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & forbidden) != 0)
                throw new UsageException($"'{path}' is open to others on this machine; make it yours alone: chmod 600 '{path}'");
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            return bytes;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"'{path}' cannot be read: {error.Message}");
        }
    }

    /// <summary>Puts a file in the place of the one before.</summary>
    /// <exception cref="UsageException">It cannot be written.</exception>
    public static void Write(string path, byte[] bytes)
    {
        var next = $"{path}.{Environment.ProcessId}";
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            else Directory.CreateDirectory(Path.GetDirectoryName(path)!, Owners | UnixFileMode.UserExecute);
            var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows()) options.UnixCreateMode = Owners;
            using (var file = new FileStream(next, options)) file.Write(bytes);
            File.Move(next, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"'{path}' cannot be written: {error.Message}");
        }
    }
}
